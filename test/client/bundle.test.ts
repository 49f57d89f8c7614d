import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { sdkVersion } from '../../client/sdk/version.ts'

const bundle = async (entry: string) =>
  build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    write: false,
  })

// Without approvals and the lists that follow the daemon over reconnects it would be 5 kB. They are included so that no
// client has to write them again.
it('the SDK for browsers is at most 6 kB minified and compressed', async () => {
  const { outputFiles } = await bundle('client/sdk/browser.ts')
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThanOrEqual(6_000)
})

it('the SDK for browsers depends on nothing at run time', async () => {
  const { metafile } = await bundle('client/sdk/browser.ts')
  const inputs = Object.keys(metafile.inputs)
  expect(inputs.filter(path => !/^(client|protocol)\//.test(path))).toEqual([])
  expect(inputs.filter(path => path.startsWith('protocol/'))).toEqual(['protocol/wire.ts'])
  expect(Object.values(metafile.outputs).flatMap(output => output.imports)).toEqual([])
})

it('sdkVersion equals the version in package.json', () => {
  expect((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version).toBe(sdkVersion)
})
