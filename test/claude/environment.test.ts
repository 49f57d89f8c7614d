import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claudeEnvironment } from '../../daemon/agents/claude/launch/environment.ts'
import { startSuite, type Suite } from './support/suite.ts'
import { one, play } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

/** Variables that a shell sets itself, or that Claude Code sets for tools. They do not affect another Claude Code. */
const harmless = new Set([
  ...['PWD', 'OLDPWD', 'SHLVL', '_', 'SHELL', 'GIT_EDITOR'],
  ...['COREPACK_ENABLE_AUTO_PIN', 'NoDefaultCurrentDirectoryInExePath'],
])

test('claudeEnvironment removes the variables that Claude Code sets for the commands it starts', async () => {
  const options = { allowedTools: ['Bash'] }
  const events = await play(suite.mux, { prompt: 'scn:environment', cwd: suite.cwd, options })
  const lines = (one(events, 'tool_result').output as string).split('\n')
  const started = Object.fromEntries(lines.map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string]))
  const { pid } = suite.claudes()[0]!
  const own = new Set(
    readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .map(variable => variable.split('=')[0]),
  )
  const set = Object.keys(started).filter(name => !own.has(name) && !harmless.has(name))
  expect(set).toContain('CLAUDE_CODE_SESSION_ID')
  expect(Object.keys(claudeEnvironment(started, undefined, '/tmp')).filter(name => set.includes(name))).toEqual([])
})
