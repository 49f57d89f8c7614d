import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const source = (file: string) => readFileSync(root + file, 'utf8')

interface Packed {
  size: number
  files: { path: string; size: number }[]
}

// As built: `prepack` would build again, and its types are not asked about here.
const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
})
const [packed] = JSON.parse(stdout) as [Packed]
const files = packed.files.map(({ path }) => path)
const manifest = JSON.parse(source('package.json')) as Record<string, unknown>

it('the package contains the programs, but no source maps and no demo', () => {
  expect(files).toEqual(expect.arrayContaining(['dist/muxd.js', 'dist/daemon.js', 'dist/pty-host.js', 'dist/NOTICE']))
  expect(files.filter(file => /\.map$|demo/.test(file))).toEqual([])
  expect(packed.size).toBeLessThan(2_000_000)
})

it('the package contains every target of a relative link in its documents', () => {
  const broken = files
    .filter(file => file.endsWith('.md'))
    .flatMap(file =>
      [...source(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => ({
        file,
        target: new URL(link!, `file:///${file}`).pathname.slice(1),
      })),
    )
    .filter(({ target }) => !files.some(file => file === target || (target.endsWith('/') && file.startsWith(target))))
  expect(broken).toEqual([])
  expect(files).toContain('docs/configuration.md')
})

it('package.json names the repository, the homepage and keywords', () => {
  expect(manifest).toMatchObject({
    repository: { type: 'git', url: expect.stringMatching(/^git\+https:\/\//) as string },
    homepage: expect.stringMatching(/^https:\/\//) as string,
    keywords: expect.arrayContaining(['claude-code']) as string[],
  })
})

it('NOTICE names the packages whose code is bundled, with their licences', () => {
  const notice = source('dist/NOTICE')
  for (const name of ['commander', 'dompurify', 'dockview-core', 'highlight.js', 'marked', 'preact', 'typebox', 'ws']) {
    const { version } = JSON.parse(source(`node_modules/${name}/package.json`)) as { version: string }
    expect(notice).toContain(`\n${name} ${version} (`)
  }
  expect(notice).toMatch(/Permission is hereby granted/)
  // Packages that are not bundled are installed with their own licence.
  expect(notice).not.toMatch(/\n(?:better-sqlite3|node-pty|vitest) /)
})
