import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { tempDir } from './support/temp-dir.ts'

/** Runs the check in a repository with these files, whose folder `a` imports `b`, and `b` imports the package `dep`. */
function checkImports(files: Record<string, string>, allowed: Record<string, string[]> = {}) {
  const root = tempDir()
  const config = {
    allowed: { a: ['b'], b: ['npm:dep'], '.ci': [], ...allowed },
    page: {
      file: 'page.md',
      introduction: '# Imports\n',
      diagrams: [{ title: 'All', about: 'Folders.', includeOnly: '^[ab]/', collapse: '^[ab]' }],
    },
  }
  const all: Record<string, string> = {
    'a/one.ts': "import { two } from '../b/two.ts'\nexport const one = two",
    'b/two.ts': "import { dep } from 'dep'\nexport const two = dep",
    '.ci/imports.config.mjs': Object.entries(config)
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
      .join('\n'),
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  spawnSync('git', ['init', '--quiet'], { cwd: root })
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [resolve('.ci/imports.mjs'), ...args], {
      cwd: root,
      encoding: 'utf8',
    })
    return {
      status,
      problems: stderr
        .split('\n\n')[0]!
        .split('\n')
        .filter(line => line !== ''),
    }
  }
  return { run, page: () => readFileSync(join(root, 'page.md'), 'utf8') }
}

it('the check of imports passes when the table and the page fit the files', () => {
  const { run, page } = checkImports({})
  expect(run('--write')).toEqual({ status: 0, problems: [] })
  expect(page()).toContain('a-->b')
  expect(run()).toEqual({ status: 0, problems: [] })
})

it('the check of imports names each import that the table does not allow', () => {
  const { run } = checkImports(
    {
      'b/upwards.ts':
        "import type { three } from '../c/three.ts'\nimport fs from 'node:fs'\nimport { other } from '@some/other/part'\nexport type T = typeof three | typeof fs | typeof other",
      'c/three.ts': 'export const three = 3',
      'd/exempt.ts': "import { three } from '../c/three.ts'\nexport const four = three",
      'd/e/below.ts': "import { three } from '../../c/three.ts'\nexport const five = three",
    },
    { c: [], 'd/**': [], 'd/exempt.ts': ['c'] },
  )
  expect(run('--write')).toEqual({
    status: 1,
    problems: [
      "b/upwards.ts imports ../c/three.ts: the entry 'b' does not list 'c'",
      "b/upwards.ts imports @some/other/part: the entry 'b' does not list 'npm:@some/other'",
      "b/upwards.ts imports fs: the entry 'b' does not list 'node:'",
      "d/e/below.ts imports ../../c/three.ts: the entry 'd/**' does not list 'c'",
    ],
  })
})

it('the check of imports fails for a folder without an entry, and for parts of the table that no file needs', () => {
  const { run } = checkImports({ 'c/three.ts': 'export const three = 3' }, { a: ['b', 'node:'], gone: ['a'] })
  expect(run('--write')).toEqual({
    status: 1,
    problems: [
      'c/three.ts: the table has no entry for c',
      "the entry 'a' lists 'node:', which it does not need. Remove it",
      "the entry 'gone' matches no file. Remove it",
    ],
  })
})

it('the check of imports finds circles of files and of folders, type imports included', () => {
  const { run } = checkImports(
    {
      'b/back.ts': "import type { one } from '../a/three.ts'\nexport type Back = typeof one",
      'a/three.ts': "export { one } from './one.ts'",
      'b/x.ts': "import type { Y } from './y.ts'\nexport interface X { y: Y }",
      'b/y.ts': "import type { X } from './x.ts'\nexport interface Y { x: X }",
    },
    { b: ['a', 'npm:dep'] },
  )
  expect(run('--write')).toEqual({
    status: 1,
    problems: ['circle of files: b/x.ts → b/y.ts → b/x.ts', 'circle of folders: a → b → a'],
  })
})

it('the check of imports fails when the page with the diagrams is not current', () => {
  const { run } = checkImports({ 'page.md': '# Imports\n' })
  expect(run()).toEqual({
    status: 1,
    problems: ['page.md does not show the imports of today. Write it again with: npm run imports'],
  })
})

it('only the composition of the daemon may import the details of an agent, and sessions its interface alone', async () => {
  const { allowed } = (await import(pathToFileURL(resolve('.ci/imports.config.mjs')).href)) as {
    allowed: Record<string, string[]>
  }
  const table = Object.entries(allowed)
  const product = table.filter(([entry]) => entry.startsWith('daemon'))
  const importersOf = (fits: (name: string) => boolean) =>
    product.flatMap(([entry, names]) => (names.some(fits) ? [entry] : []))
  const isDetail = (name: string) => name.startsWith('daemon/agents/')
  expect(importersOf(isDetail).filter(entry => !entry.startsWith('daemon/agents/'))).toEqual(['daemon/compose.ts'])
  expect(importersOf(name => name === 'daemon/**' || name === '**')).toEqual([])
  // The folder of the interface has no other file, so that an entry for the folder allows nothing else.
  const files = readdirSync('daemon/agents', { withFileTypes: true }).filter(each => each.isFile())
  expect(files.map(({ name }) => name)).toEqual(['agent.ts'])
})
