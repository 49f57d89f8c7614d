import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles a program into one file, which plain Node starts in about 50 ms. */
export async function bundleProgram(source: URL, outDirectory: string): Promise<string> {
  const outfile = join(outDirectory, 'program.mjs')
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
  // The project's name for SQLite on Node 20. A package resolves such a name for its own files only.
  const imports = { '#better-sqlite3': './better-sqlite3.cjs' }
  writeFileSync(join(outDirectory, 'package.json'), JSON.stringify({ imports }))
  writeFileSync(
    join(outDirectory, 'better-sqlite3.cjs'),
    `module.exports = require(${JSON.stringify(join(root, 'sqlite-node20/index.cjs'))})`,
  )
  return outfile
}

/** Starts a command and collects its output in `output`. */
export function startProgram(command: string[]): { child: ChildProcess; output: () => string; ended: Promise<string> } {
  const [program, ...args] = command
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? String(code)))
  })
  return { child, output: () => output, ended }
}
