import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { program } from './daemon.ts'
import { tempDir } from './temp-dir.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Copies the build and replaces one text of its daemon. Returns the path of that daemon's program. */
export function changedBuild(text: string, replacement: string): string {
  const daemon = copyOfBuild()
  const built = readFileSync(daemon, 'utf8')
  const changed = built.replace(text, replacement)
  expect(changed).not.toBe(built)
  writeFileSync(daemon, changed)
  return daemon
}

/** Copies the build, and removes the copy with the test. Returns the path of its daemon's program. */
export function copyOfBuild(directory = tempDir()): string {
  cpSync(dirname(program), join(directory, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(directory, 'package.json'))
  for (const name of ['node_modules', 'sqlite-node20']) symlinkSync(join(root, name), join(directory, name))
  return join(directory, 'dist', 'daemon.js')
}
