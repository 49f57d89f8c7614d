import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs a program of `programs/` in its own Node process, for effects that would harm the test's process: a kill, no
 * free descriptors, a full disk. `shell` precedes the program in its shell, for example `ulimit -n 100;`. `wrapper` is
 * the command that runs this shell.
 */
export function startProgram(program: URL, argument: string, shell = '', wrapper: string[] = []) {
  const path = fileURLToPath(program)
  const script = `${shell} exec "$0" --import tsx "$1" "$2"`
  // `env` gives `spawn` a program to run with or without a wrapper.
  const child = spawn('env', [...wrapper, '/bin/sh', '-c', script, process.execPath, path, argument], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  const exit = new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`${path} ended with ${code}: ${stderr}`))
    })
  })
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      stdout += String(chunk)
      if (stdout.includes('ready\n')) resolve()
    })
    exit.catch(reject)
  })
  // A caller may await only one of the two.
  ready.catch(() => {})
  exit.catch(() => {})
  return { child, ready, exit }
}
