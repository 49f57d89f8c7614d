import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { wrongNodeProblem } from '../../daemon/wrong-node.ts'
import { tempDir } from '../support/temp-dir.ts'

it('a native module of another Node is told in one sentence with the command that builds it anew', () => {
  const place = tempDir()
  const addon = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'
  mkdirSync(join(place, addon, '..'), { recursive: true })
  cpSync(addon, join(place, addon))
  const bytes = readFileSync(join(place, addon))
  // Without a function for its own version Node compares the registered version, which has no flags behind it.
  bytes.write(
    '042',
    bytes.indexOf(`node_register_module_v${process.versions.modules}`) + 'node_register_module_v'.length,
  )
  const version = Buffer.alloc(8)
  version.writeInt32LE(Number(process.versions.modules))
  let patched = 0
  for (let at = bytes.indexOf(version); at >= 0; at = bytes.indexOf(version, at + 1)) {
    if (at % 8 === 0) {
      bytes.writeInt32LE(42, at)
      patched += 1
    }
  }
  expect(patched).toBeGreaterThan(0)
  writeFileSync(join(place, addon), bytes)
  let thrown: unknown
  try {
    createRequire(import.meta.url)(join(place, addon))
  } catch (error) {
    thrown = error
  }
  const { node, modules } = process.versions
  expect(wrongNodeProblem(thrown)).toBe(
    `better-sqlite3 was built for another version of Node (its module version is 42, that of Node ${node} is ${modules}): npm rebuild --prefix ${place} better-sqlite3`,
  )
  expect(wrongNodeProblem(new Error('another'))).toBeUndefined()
})
