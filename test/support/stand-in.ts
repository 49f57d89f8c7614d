import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './temp-dir.ts'

const shared = new URL('../fixtures/stand-ins/stand-in.mjs', import.meta.url).href

/**
 * Creates a program that stands in for Claude Code. `script` calls `serve` (test/fixtures/stand-ins/stand-in.mjs). The
 * file is removed after the test.
 */
export function standIn(script: string): string {
  const path = join(tempDir(), 'claude.mjs')
  const imports = `import { background, init, result, say, serve, text } from ${JSON.stringify(shared)}`
  writeFileSync(path, `#!${process.execPath}\n${imports}\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
