// Bundles the SDK for Node and for browsers into the directory that is given: `node build.mjs dist`.
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'

const entry = name => fileURLToPath(new URL(name, import.meta.url))

/** `onMetafile` gets esbuild's description of each bundle. */
export async function buildSdk(outdir, onMetafile = () => {}) {
  const common = { bundle: true, format: 'esm', logLevel: 'warning', sourcemap: 'linked', metafile: true, outdir }
  const bundles = [
    { entryPoints: [entry('index.ts')], platform: 'node', target: 'node20', external: ['ws'] },
    { entryPoints: [entry('browser.ts')], platform: 'browser', target: 'es2022', minify: true },
  ]
  for (const bundle of bundles) onMetafile((await esbuild.build({ ...common, ...bundle })).metafile)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildSdk(process.argv[2] ?? 'dist')
