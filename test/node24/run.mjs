// `npm run test:node24`: muxd on a Node that has `node:sqlite`. Takes Node 24 from npm, and with it
// 1. installs a copy of this tree by `npm ci`. The compiler is replaced by a program that fails with a message, because
//    nothing may be compiled, SQLite neither, and better-sqlite3 may not be installed;
// 2. runs the unit tests, the conformance suite of SQLite, and the main job end to end in that copy;
// 3. packs the copy, installs the package elsewhere, and asks its `muxd doctor`.
// `MUXD_TEST_NODE24_DIR` names the directory in which Node 24 is installed.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const units = ['store', 'daemon', 'protocol', 'topics', 'rpc'].map(name => `test/${name}/`)
const suites = [
  ['--project', 'quick', ...units],
  ['--project', 'full', 'test/e2e/main-job.full.test.ts'],
]

const place = mkdtempSync(join(tmpdir(), 'muxd-test-node24-'))
try {
  main()
} finally {
  rmSync(place, { recursive: true, force: true })
}

function main() {
  const node = installNode()
  const path = [dirname(node), process.env.PATH].join(delimiter)
  const { compilers, calls } = makeFailingCompilers()
  const installing = { PATH: [compilers, path].join(delimiter) }
  console.log(`Node ${run(node, ['--version'], { stdio: 'pipe' }).trim()}`)

  const copy = join(place, 'copy')
  copyTree(copy)
  run('npm', ['ci'], { cwd: copy, env: installing })
  expectNothingCompiled(copy, calls)

  run('npm', ['run', '--silent', 'build'], { cwd: copy, env: { PATH: path } })
  for (const suite of suites)
    run(node, ['node_modules/vitest/vitest.mjs', 'run', ...suite], { cwd: copy, env: { PATH: path } })

  const packed = run('npm', ['pack', '--silent', '--pack-destination', place], {
    cwd: copy,
    env: { PATH: path },
    stdio: 'pipe',
  })
  const project = join(place, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  run('npm', ['install', join(place, packed.trim().split('\n').at(-1))], { cwd: project, env: installing })
  expectNothingCompiled(project, calls)
  askDoctor(node, join(project, 'node_modules/muxd/dist/muxd.js'))
  console.log('\nNode 24: nothing was compiled, and all tests passed.')
}

/** Runs a program and throws when it fails. `stdio: 'pipe'` returns what it prints. */
function run(program, args, { env, ...options } = {}) {
  console.log(`\n$ ${[program, ...args].join(' ')}`)
  return execFileSync(program, args, {
    stdio: 'inherit',
    encoding: 'utf8',
    ...options,
    env: { ...outsideNpm(), ...env },
  })
}

/** The environment without the variables that npm set for this script: the copy is another package. */
function outsideNpm() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_(cache|registry))|INIT_CWD)/i.test(name)),
  )
}

function installNode() {
  const directory = process.env.MUXD_TEST_NODE24_DIR ?? join(homedir(), '.cache/muxd-test-node24')
  const node = join(directory, 'node_modules/node/bin/node')
  mkdirSync(directory, { recursive: true })
  if (!existsSync(node)) run('npm', ['install', '--prefix', directory, '--no-save', 'node@24'])
  return node
}

/** Programs that a build of a native package would start. Each notes its call and fails. */
function makeFailingCompilers() {
  const compilers = join(place, 'compilers')
  const calls = join(place, 'compiler-calls')
  mkdirSync(compilers)
  for (const name of ['cc', 'gcc', 'c++', 'g++', 'clang', 'clang++', 'make', 'node-gyp', 'prebuild-install']) {
    writeFileSync(join(compilers, name), `#!/bin/sh\necho "${name} $*" >>'${calls}'\nexit 1\n`)
    chmodSync(join(compilers, name), 0o755)
  }
  if (spawnSync(join(compilers, 'cc')).status !== 1 || !existsSync(calls)) throw new Error('the compilers do not work')
  rmSync(calls)
  return { compilers, calls }
}

function copyTree(copy) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const name of new Set(listed.toString().split('\0')))
    if (name !== '' && existsSync(join(root, name))) cpSync(join(root, name), join(copy, name))
}

function expectNothingCompiled(directory, calls) {
  if (existsSync(calls)) throw new Error(`the installation called compilers:\n${readFileSync(calls, 'utf8')}`)
  const paths = readdirSync(directory, { recursive: true })
  const wrong = paths.filter(path =>
    /(^|\/)node_modules\/(better-sqlite3|prebuild-install)$|\/build\/Release\/.*\.node$/.test(path),
  )
  if (wrong.length > 0) throw new Error(`the installation contains ${wrong.join(', ')}`)
  if (!paths.some(path => path.endsWith('node-pty/package.json'))) throw new Error(`${directory} has no installation`)
}

function askDoctor(node, muxd) {
  const args = [muxd, 'doctor', '--json', '--home', join(place, 'home')]
  const { stdout, stderr } = spawnSync(node, args, { encoding: 'utf8', env: outsideNpm() })
  const { checks } = JSON.parse(stdout)
  const failed = ['sqlite', 'node-pty'].map(name => checks.find(check => check.name === name)).filter(({ ok }) => !ok)
  if (failed.length > 0) throw new Error(`muxd doctor: ${JSON.stringify(failed)}`)
  const { detail } = checks.find(({ name }) => name === 'sqlite')
  if (!detail.startsWith('node:sqlite')) throw new Error(`muxd doctor names ${detail}`)
  if (stderr.includes('ExperimentalWarning')) throw new Error(`muxd doctor prints a warning:\n${stderr}`)
  console.log(`muxd doctor: ${detail}`)
}
