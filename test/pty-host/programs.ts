import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs a program of `programs/` in a Node process of its own, for what would do harm in the tests' own: to be killed,
 * to have no descriptors left, a full disk. `shell` is what comes before it in its shell, as in `ulimit -n 100;`, and
 * `wrapper` what runs that shell.
 */
export function startProgram(program: URL, argument: string, shell = '', wrapper: string[] = []) {
  const path = fileURLToPath(program)
  const script = `${shell} exec "$0" --import tsx "$1" "$2"`
  // `env` so that there is a file to run, wrapper or not.
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
  // Whoever waits for one need not for the other.
  ready.catch(() => {})
  exit.catch(() => {})
  return { child, ready, exit }
}
