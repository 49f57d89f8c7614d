import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const directories = ['protocol', 'daemon', 'client', 'examples', 'docs', 'test', '.ci']
// A package in client/sdk may be installed or built.
const isOurs = (file: string) => !/(^|\/)(node_modules|dist)(\/|$)/.test(file)
const below = (directory: string) =>
  readdirSync(root + directory, { recursive: true, encoding: 'utf8' })
    .map(file => `${directory}/${file}`)
    .filter(isOurs)
const files = [...readdirSync(root), ...directories.flatMap(below)]

const documents = files.filter(file => file.endsWith('.md') && !file.startsWith('test/fixtures/'))
const sources = files.filter(file => /\.tsx?$/.test(file) && !file.startsWith('test/'))

/** Paths of a home directory, which documents describe. */
const inHome = new Set(['log/', 'processes/', 'tmp/'])

/** Returns the paths in backticks that end in `/` or in the extension of a source or a document. */
function named(file: string): string[] {
  const text = readFileSync(root + file, 'utf8')
  const paths = [...text.matchAll(/`((?:[\w.-]+\/)*[\w.-]+(?:\/|\.(?:ts|tsx|mjs|md|sh|pl)))`/g)]
  return paths.map(([, path]) => path!).filter(path => !inHome.has(path))
}

/** A path may leave out its first folders, as long as a file or a folder has its end. */
const exists = (path: string) => files.some(file => `/${file}`.endsWith(`/${path.replace(/\/$/, '')}`))

it.each([
  ['documents', documents],
  ['comments', sources],
])('every path that the %s name is there', (_, among) => {
  const all = among.flatMap(file => named(file).map(path => ({ file, path })))
  expect(all.length).toBeGreaterThan(10)
  expect(all.filter(({ path }) => !exists(path))).toEqual([])
})
