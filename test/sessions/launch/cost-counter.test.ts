import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { LaunchMode } from '../../../daemon/agents/agent.ts'
import { createClaude } from '../../../daemon/agents/claude/agent.ts'
import { counterBefore } from '../../../daemon/sessions/launch/cost-counter.ts'
import { session } from '../../support/records.ts'
import { tempDir } from '../../support/temp-dir.ts'

const id = '11111111-1111-4111-8111-111111111111'
const message = { type: 'user', uuid: 'u', cwd: '/', isSidechain: false, message: { content: 'x' } }

const agent = createClaude({ bin: undefined, environment: {}, inherited: {} })

const counter = (beginning: LaunchMode, entries?: object[]) => {
  const config = tempDir()
  const directory = join(config, 'projects', '-')
  mkdirSync(directory, { recursive: true })
  if (entries) writeFileSync(join(directory, `${id}.jsonl`), entries.map(entry => JSON.stringify(entry)).join('\n'))
  return counterBefore(agent, beginning, { config, claudeSessionId: id }, session('s_1'))
}

it('a new conversation’s cost counter begins at zero, and so does a fork’s', async () => {
  const spent = [message, { type: 'cost-state', totalCostUSD: 9 }]
  expect(await counter({ start: id }, spent)).toBe(0)
  expect(await counter({ fork: id, of: id, at: 'u' }, spent)).toBe(0)
})

it('a resumed conversation goes on from the counter in its transcript', async () => {
  expect(await counter({ resume: id }, [message, { type: 'cost-state', totalCostUSD: 0.5 }])).toBe(0.5)
})

it('a resumed conversation without a counter in its transcript counts from zero', async () => {
  expect(await counter({ resume: id }, [message])).toBe(0)
  expect(await counter({ resume: id })).toBe(0)
})
