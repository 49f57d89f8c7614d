import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const source = (file: string) => readFileSync(`${root}${file}`, 'utf8')

/** The configurations of vitest, each with the npm scripts that run its projects. */
const suites = [
  { config: 'vitest.config.ts', scripts: ['test', 'test:full'] },
  { config: 'test/claude/vitest.config.ts', scripts: ['test:claude'] },
]

/** What vitest runs under a configuration: each file, with its tier. */
function listed(config: string): { file: string; tier: string }[] {
  const vitest = ['node_modules/vitest/vitest.mjs', 'list', '--filesOnly', '--json', '--config', config]
  const { stdout } = spawnSync(process.execPath, vitest, { cwd: root, encoding: 'utf8' })
  const files = JSON.parse(stdout) as { file: string; projectName?: string }[]
  return files.map(({ file, projectName = config }) => ({ file: relative(root, file), tier: projectName }))
}

const definesTests = (file: string) =>
  /\.[cm]?tsx?$/.test(file) && /import \{[^}]*\b(?:it|test|describe)\b[^}]*\} from 'vitest'/.test(source(file))

const sources = ['protocol', 'daemon', 'client', 'examples', 'test'].flatMap(directory =>
  (readdirSync(`${root}${directory}`, { recursive: true }) as string[]).map(file => `${directory}/${file}`),
)
const inTiers = suites.flatMap(({ config }) => listed(config))

describe('the tiers of the tests', () => {
  it('contain every file with tests exactly once', () => {
    const files = inTiers.map(({ file }) => file)
    expect(files.toSorted()).toEqual([...new Set(files)].sort())
    // Tests that several files share are run by those that import them.
    const shared = (file: string) =>
      !/\.(?:test|spec)\./.test(file) && files.some(each => source(each).includes(`/${basename(file)}'`))
    const inNoTier = sources.filter(file => definesTests(file) && !files.includes(file) && !shared(file))
    expect(inNoTier.filter(file => file !== 'test/screenshots/make.ts')).toEqual([])
  })

  it('are determined by the names of the files', () => {
    const inFull = inTiers.filter(({ tier }) => tier === 'full').map(({ file }) => file)
    expect(inFull.length).toBeGreaterThan(0)
    const named = inTiers.map(({ file }) => file).filter(file => file.endsWith('.full.test.ts'))
    expect(inFull.toSorted()).toEqual(named.toSorted())
  })

  it('all run in CI, each by its npm script', () => {
    const scripts = suites.flatMap(suite => suite.scripts)
    const { scripts: inPackage } = JSON.parse(source('package.json')) as { scripts: Record<string, string> }
    for (const tier of ['quick', 'full']) {
      const script = scripts.find(name => inPackage[name]!.includes(`--project ${tier}`))
      expect(script, `a script runs ${tier}`).toBeDefined()
    }
    const steps = source('.ci/run').split('\n')
    for (const script of scripts) {
      const command = script === 'test' ? 'npm test' : `npm run ${script}`
      expect(
        steps.filter(step => new RegExp(`^ *${command}(?: --|$)`).test(step)),
        `.ci/run calls ${command}`,
      ).not.toEqual([])
    }
  })
})
