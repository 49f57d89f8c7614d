import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

it.each(['bench', 'soak'])('no program of test/%s imports vitest, directly or indirectly', async directory => {
  const programs = readdirSync(`${root}test/${directory}`).filter(
    name => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )
  expect(programs).toContain('main.ts')
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs.map(name => `test/${directory}/${name}`),
    outdir: 'out',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  expect(Object.keys(metafile.inputs).length).toBeGreaterThan(20)
  // Includes files that esbuild drops as unused: Node loads them anyway.
  const importing = Object.keys(metafile.inputs).filter(file => /from 'vitest'/.test(readFileSync(root + file, 'utf8')))
  expect(importing).toEqual([])
})
