// Bundles what runs: one file each for the daemon, the command line, the simulator and the demo, the SDK for Node and for
// browsers, and the workspace page. Packages with native parts stay outside.
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as esbuild from 'esbuild'
import { buildSdk } from './client/sdk/build.mjs'
import { noticeOf } from './notice.mjs'

const outdir = process.argv[2] ?? 'dist'
const inputs = []
const noteInputs = metafile => void inputs.push(...Object.keys(metafile.inputs))

async function build(options) {
  const { metafile } = await esbuild.build({ ...options, metafile: true })
  noteInputs(metafile)
  return Object.keys(metafile.outputs).map(path => basename(path))
}

const node = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  sourcemap: 'linked',
}
// CommonJS packages inside an ES module bundle ask for `require`.
const requireShim =
  "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);"

const programs = {
  daemon: 'daemon/main.ts',
  'pty-host': 'daemon/pty-host/main.ts',
  simulator: 'daemon/simulator/main.ts',
  muxd: 'client/cli/main.ts',
  demo: 'client/cli/demo.ts',
}
await build({
  ...node,
  entryPoints: Object.entries(programs).map(([out, entry]) => ({ in: entry, out })),
  outdir,
  minifySyntax: true,
  external: ['node-pty'],
  banner: { js: `#!/usr/bin/env node\n${requireShim}` },
})
for (const name of Object.keys(programs)) chmodSync(`${outdir}/${name}.js`, 0o755)

// The package `@muxd/client`, inside this one: nothing has to be published for `muxd/client`.
await buildSdk(`${outdir}/client`, noteInputs)
await build({ ...node, entryPoints: { protocol: 'protocol/index.ts' }, outdir, packages: 'external' })
const page = await build({
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  // What is not needed for the first paint is loaded when it is.
  splitting: true,
  logLevel: 'warning',
  sourcemap: 'linked',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  plugins: [{ name: 'dockview-styles', setup: dockviewStyles }],
  entryPoints: { 'workspace/main': 'client/workspace/main.tsx', 'workspace/style': 'client/workspace/styles/main.css' },
  chunkNames: 'workspace/[name]-[hash]',
  outdir,
})
// The names of chunks change with their contents: those of earlier builds go.
for (const name of readdirSync(`${outdir}/workspace`)) {
  if (!page.includes(name) && name !== 'index.html') rmSync(`${outdir}/workspace/${name}`)
}
copyFileSync('client/workspace/index.html', `${outdir}/workspace/index.html`)
writeFileSync(`${outdir}/NOTICE`, noticeOf(inputs))

/** `dockview-core/styles.css`: the package has its styles only in a script that puts them into the page, which our policy forbids. */
function dockviewStyles({ onResolve, onLoad }) {
  onResolve({ filter: /^dockview-core\/styles\.css$/ }, ({ path }) => ({ path, namespace: 'dockview' }))
  onLoad({ filter: /.*/, namespace: 'dockview' }, () => {
    const script = readFileSync('node_modules/dockview-core/dist/dockview-core.js', 'utf8')
    const styles = JSON.parse(/\.textContent = ("(?:[^"\\]|\\.)*");/.exec(script)[1])
    // Its themes are not ours.
    return { contents: styles.replace(/^\.dockview-theme-[^{]*\{[^}]*\}\n/gm, ''), loader: 'css' }
  })
}
