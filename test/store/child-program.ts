import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles a program into one file that plain Node starts in about 50 ms. */
export async function bundleProgram(source: URL, outDirectory: string): Promise<string> {
  const outfile = join(outDirectory, 'program.cjs')
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['better-sqlite3'],
    logLevel: 'error',
  })
  return outfile
}

/** Starts a command that finds the project's packages; its output is gathered in `output`. */
export function startProgram(command: string[]): { child: ChildProcess; output: () => string; ended: Promise<string> } {
  const [program, ...args] = command
  const env = { ...process.env, NODE_PATH: join(root, 'node_modules') }
  const child = spawn(program!, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? String(code)))
  })
  return { child, output: () => output, ended }
}
