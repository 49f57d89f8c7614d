import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { nodeSqlite } from '../../daemon/store/sqlite/node-sqlite.ts'
import { wrongNodeProblem } from '../../daemon/wrong-node.ts'
import { tempDir } from '../support/temp-dir.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const thrownBy = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

const packageFile = () => createRequire(join(root, 'sqlite-node20/')).resolve('better-sqlite3/package.json')

// better-sqlite3 is the only native module that depends on Node's version, and is not installed beside `node:sqlite`.
const hasAddon = nodeSqlite() === undefined
it.runIf(hasAddon)('a native module for another Node is reported with the command that builds it again', () => {
  const place = tempDir()
  const addon = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'
  mkdirSync(join(place, addon, '..'), { recursive: true })
  cpSync(join(dirname(packageFile()), 'build/Release/better_sqlite3.node'), join(place, addon))
  const bytes = readFileSync(join(place, addon))
  // If an addon has no function for Node's own version, Node compares the registered version, which has no flags behind
  // it.
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
  const thrown = thrownBy(() => createRequire(import.meta.url)(join(place, addon)))
  const { node, modules } = process.versions
  expect(wrongNodeProblem(thrown)).toBe(
    `better-sqlite3 was built for another version of Node (its module version is 42, that of Node ${node} is ${modules}): npm rebuild --prefix ${place} better-sqlite3`,
  )
})

it('a missing better-sqlite3 is reported with the command that installs it', () => {
  const place = join(tempDir(), 'sqlite-node20')
  cpSync(join(root, 'sqlite-node20/index.cjs'), join(place, 'index.cjs'))
  expect(wrongNodeProblem(thrownBy(() => createRequire(import.meta.url)(join(place, 'index.cjs'))))).toBe(
    `Node ${process.versions.node} has no node:sqlite, and better-sqlite3 is not installed: use Node 22.13 or newer, or run npm ci --prefix ${place}`,
  )
})

it.runIf(hasAddon)('a better-sqlite3 that was not built is reported with the command that builds it', () => {
  const place = tempDir()
  const from = dirname(packageFile())
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path'])
    cpSync(join(from, '..', name), join(place, 'node_modules', name), {
      recursive: true,
      filter: path => !/better-sqlite3\/(build|deps|src)(\/|$)/.test(path),
    })
  const Database = createRequire(join(place, 'index.cjs'))('better-sqlite3') as new (file: string) => unknown
  expect(wrongNodeProblem(thrownBy(() => new Database(':memory:')))).toBe(
    `better-sqlite3 was installed without its install script: npm rebuild --prefix ${place} better-sqlite3`,
  )
})

it('wrongNodeProblem returns undefined for any other error', () => {
  expect(wrongNodeProblem(new Error('another'))).toBeUndefined()
  expect(wrongNodeProblem(thrownBy(() => createRequire(import.meta.url)('no-such-package')))).toBeUndefined()
})
