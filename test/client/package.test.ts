import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTempDir } from '../support/temp-dir.ts'

const sizeLimitBytes = 6 * 1024
const manifestOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

const temporary = createTempDir()
/** A project that has installed the packed SDK. */
const project = temporary.path
afterAll(() => temporary.remove())

beforeAll(() => {
  // Runs the package's own `prepack`, as `npm publish` does.
  execFileSync('npm', ['pack', '--workspace', '@muxd/client', '--pack-destination', project], { stdio: 'pipe' })
  const [tarball] = readdirSync(project)
  const installed = join(project, 'node_modules/@muxd/client')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(project, tarball!), '-C', installed, '--strip-components=1'])
  for (const name of Object.keys(manifestOf(join(installed, 'package.json'))['dependencies'] as object)) {
    symlinkSync(resolve('node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
})

async function browserBundle(program: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: project, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]!.contents
}

const program = `
import { connect } from '@muxd/client'
const mux = await connect({ url: 'ws://127.0.0.1:7433/ws', token: 'secret' })
const run = await mux.run({ prompt: 'say hi', session: 's_1' })
for await (const event of run.events()) if (event.type === 'assistant_text') document.write(event.delta)
for await (const event of mux.subscribe('sessions')) console.log(event)
for await (const approval of mux.approvals()) await approval.deny()
`

it('a browser program that connects, runs, subscribes and answers approvals takes at most 6 kB', async () => {
  const bytes = gzipSync(await browserBundle(program), { level: 9 }).length
  console.log(`${bytes} of at most ${sizeLimitBytes} bytes, minified and compressed`)
  expect(bytes).toBeLessThanOrEqual(sizeLimitBytes)
})

it('a bundle omits exports that its program does not import', async () => {
  const contents = await browserBundle("import { RpcError } from '@muxd/client'\nconsole.log(RpcError)")
  expect(gzipSync(contents).length).toBeLessThan(512)
})

it('no dependency of the SDK is native or runs an install script', () => {
  const { packages } = manifestOf('package-lock.json') as {
    packages: Record<string, { dependencies?: object; hasInstallScript?: boolean; os?: string[]; cpu?: string[] }>
  }
  const found = new Set<string>()
  const visit = (path: string) => {
    if (found.has(path)) return
    found.add(path)
    const entry = packages[path]
    expect(entry, path).toBeDefined()
    for (const name of Object.keys(entry!.dependencies ?? {})) visit(`node_modules/${name}`)
  }
  visit('client/sdk')
  expect([...found]).toContain('node_modules/ws')
  expect(
    [...found].filter(path => packages[path]!.hasInstallScript || packages[path]!.os || packages[path]!.cpu),
  ).toEqual([])
})

it('muxd contains the SDK and does not depend on its package', () => {
  const manifest = manifestOf('package.json')
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
    expect(Object.keys(manifest[field] ?? {})).not.toContain('@muxd/client')
  }
  expect(readFileSync('dist/client/index.js', 'utf8')).not.toContain('@muxd/client')
  expect(manifestOf('client/sdk/package.json')).toMatchObject({ version: manifest['version'], sideEffects: false })
})

it('an installed SDK runs in Node', () => {
  const script =
    "import { connect } from '@muxd/client'\nawait connect({ home: '/nonexistent' }).catch(error => console.log(error.name, error.message))"
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(stdout, stderr).toBe('Unavailable no daemon runs in /nonexistent\n')
})

it.each([
  { where: 'Node', options: ['--module', 'nodenext'], connect: 'connect()' },
  {
    where: 'a browser',
    options: ['--module', 'preserve', '--customConditions', 'browser'],
    connect: "connect({ url: 'ws://127.0.0.1:7433/ws' })",
  },
])('an installed SDK has its types in $where', ({ where, options, connect }) => {
  const file = join(project, where === 'Node' ? 'node.ts' : 'browser.ts')
  writeFileSync(
    file,
    `import { connect } from '@muxd/client'
const mux = await ${connect}
const { sessions } = await mux.api.session.list({})
export const title: string = sessions[0]!.title
// @ts-expect-error a title is a string
export const wrong: number = sessions[0]!.title
for await (const event of mux.subscribe('session/s_1')) if (event.type === 'assistant_text') event.delta.trim()
`,
  )
  const compiler = resolve('node_modules/@typescript/native/bin/tsc')
  const args = [
    compiler,
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--lib',
    'es2023,dom',
    '--types',
    '',
    ...options,
  ]
  const { stdout } = spawnSync(process.execPath, [...args, file], { cwd: project, encoding: 'utf8' })
  expect(stdout).toBe('')
})
