// Checks the imports of every source file with dependency-cruiser: no circle of files or of folders, and only what the
// table in imports.config.mjs allows. Also checks that the page with the diagrams is current; `--write` writes it.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cruise } from 'dependency-cruiser'
import { findForbidden } from './imports-allowed.mjs'
import { comparePage, writePage } from './imports-page.mjs'

const { allowed, page } = await import(pathToFileURL(resolve('.ci/imports.config.mjs')).href)

// The tracked files and new ones, without those that git ignores.
const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs', '*.cjs'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter(file => file !== '' && existsSync(file))

const circular = { severity: 'error', from: {}, to: { circular: true } }
const { output: graph } = await cruise(files, {
  validate: true,
  ruleSet: {
    forbidden: [
      { ...circular, name: 'circle of files' },
      { ...circular, name: 'circle of folders', scope: 'folder' },
    ],
  },
  skipAnalysisNotInRules: true,
  // Type imports too.
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  enhancedResolveOptions: {
    extensions: ['.ts', '.tsx'],
    exportsFields: ['exports'],
    conditionNames: ['import', 'require', 'node', 'types', 'default'],
  },
  reporterOptions: { mermaid: { minify: false } },
})

if (process.argv.includes('--write')) await writePage(page, graph)
const problems = [...findCircles(), ...findForbidden(allowed, files, graph), ...(await comparePage(page, graph))]
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`\n${problems.length} problem(s) with imports. .ci/imports.config.mjs has the table and its rules.`)
  process.exitCode = 1
}

function findCircles() {
  const circles = graph.summary.violations.map(({ rule, cycle }) => {
    // A circle is printed from the name that sorts first, wherever the search met it.
    const names = cycle.map(({ name }) => name)
    const start = names.indexOf(names.reduce((first, name) => (name < first ? name : first)))
    return `${rule.name}: ${[...names.slice(start), ...names.slice(0, start), names[start]].join(' → ')}`
  })
  return new Set(circles)
}
