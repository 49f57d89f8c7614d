// Packs both packages as `npm publish` would, and checks the tarballs with publint and Are The Types Wrong.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'packages-'))
process.on('exit', () => rmSync(place, { recursive: true }))

function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  console.error(`${[command, ...args].join(' ')}\n${error?.message ?? stdout + stderr}`)
  process.exit(1)
}

const bin = name => join(root, 'node_modules/.bin', name)
for (const name of ['publint', 'attw']) {
  try {
    createRequire(import.meta.url).resolve(bin(name))
  } catch {
    console.error(`${name} is not installed: run npm install`)
    process.exit(1)
  }
}

run('npm', ['pack', '--workspaces', '--include-workspace-root', '--pack-destination', place])
const tarballs = readdirSync(place).map(name => join(place, name))
if (tarballs.length !== 2) throw new Error(`expected two packages, found ${tarballs.join(', ')}`)
for (const tarball of tarballs) {
  run(bin('publint'), ['run', '--strict', tarball])
  // Both packages are ES modules; `require` of them is not supported.
  run(bin('attw'), ['--profile', 'esm-only', '--no-color', tarball])
}
