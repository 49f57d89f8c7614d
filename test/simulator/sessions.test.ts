import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'
import { recordings } from './shape.ts'
import { isResult, isTextDelta, live, play, resultOf, startSimulator } from '../support/simulator.ts'

const recorded = recordings()

test('a session keeps its id, its prompts and its cost over --resume', async () => {
  const home = tempDir()
  const id = randomUUID()
  const first = await play('sim:text one', [...live, '--session-id', id], { home })
  const second = await play('sim:history', [...live, '--resume', id], { home })
  expect(new Set([...first.frames, ...second.frames].map(frame => frame['session_id']))).toEqual(new Set([id]))
  expect(resultOf(second.frames)['result']).toContain('1. sim:text one')
  const cost = resultOf(first.frames)['total_cost_usd'] as number
  const own = resultOf(second.frames)['model_usage_since_last_result']['muxd-simulator'].costUSD as number
  expect(cost).toBeGreaterThan(0)
  expect(resultOf(second.frames)['total_cost_usd']).toBeCloseTo(cost + own, 12)
  expect(resultOf(second.frames)['result_index']).toBe(0)
})

test('the cost of a session grows with each turn of a process', async () => {
  const simulator = startSimulator(live)
  for (const _ of [1, 2, 3]) simulator.prompt('sim:text some words')
  simulator.end()
  await simulator.ended
  const costs = simulator.frames.filter(isResult).map(frame => frame['total_cost_usd'] as number)
  expect(costs).toHaveLength(3)
  expect(costs).toEqual([...new Set(costs)].sort((a, b) => a - b))
})

test('a budget counts only the cost since the start of the process', async () => {
  const home = tempDir()
  const id = randomUUID()
  const before = await play('sim:long words=300', [...live, '--session-id', id], { home })
  const budget = String(resultOf(before.frames)['total_cost_usd'])
  const { frames } = await play('sim:loop rounds=1', [...live, '--resume', id, '--max-budget-usd', budget], { home })
  expect(resultOf(frames)).toMatchObject({ subtype: 'success', is_error: false })
})

test('a fork has the history under another id, and leaves the session unchanged', async () => {
  const home = tempDir()
  const [id, fork] = [randomUUID(), randomUUID()]
  await play('sim:text one', [...live, '--session-id', id], { home })
  const forked = await play('sim:history', [...live, '--resume', id, '--fork-session', '--session-id', fork], { home })
  expect(resultOf(forked.frames)).toMatchObject({ session_id: fork, result: 'Earlier prompts:\n1. sim:text one' })
  const named = await play('sim:history', [...live, '--resume', id, '--fork-session'], { home })
  expect([id, fork]).not.toContain(resultOf(named.frames)['session_id'])
  const again = await play('sim:history', [...live, '--resume', id], { home })
  expect(resultOf(again.frames)['result']).toBe('Earlier prompts:\n1. sim:text one')
})

test('a fork at a message has no later history and a lower cost, and an unknown message fails', async () => {
  const home = tempDir()
  const [id, fork] = [randomUUID(), randomUUID()]
  const first = await play('sim:text one', [...live, '--session-id', id], { home })
  const second = await play('sim:text two', [...live, '--resume', id], { home })
  const at = first.frames.findLast(({ type }) => type === 'assistant')!['uuid'] as string
  const forking = [...live, '--resume', id, '--fork-session', '--session-id', fork, '--resume-session-at']
  const forked = await play('sim:history', [...forking, at], { home })
  expect(resultOf(forked.frames)['result']).toBe('Earlier prompts:\n1. sim:text one')
  expect(resultOf(forked.frames)['total_cost_usd']).toBeLessThan(resultOf(second.frames)['total_cost_usd'] as number)
  const nowhere = randomUUID()
  const failed = startSimulator([...live, '--resume', id, '--fork-session', '--resume-session-at', nowhere], { home })
  expect(await failed.ended).toEqual({ code: 1, signal: null })
  expect(failed.stderr).toBe(`No message found with message.uuid of: ${nowhere}\n`)
})

test('resuming a session that does not exist fails as recorded', async () => {
  const expected = recorded.get('resume-unknown')![0]!
  const id = expected['session_id'] as string
  const simulator = startSimulator([...live, '--resume', id])
  expect(await simulator.ended).toEqual({ code: 1, signal: null })
  expect(simulator.frames).toEqual([{ ...expected, uuid: simulator.frames[0]!['uuid'] }])
  expect(simulator.stderr).toBe(`No conversation found with session ID: ${id}\n`)
})

test('a session id cannot be used twice', async () => {
  const home = tempDir()
  const id = randomUUID()
  await play('sim:text one', [...live, '--session-id', id], { home })
  const twice = startSimulator([...live, '--session-id', id], { home })
  expect(await twice.ended).toEqual({ code: 1, signal: null })
  expect(twice.stderr).toBe(`Error: Session ID ${id} is already in use.\n`)
  expect(twice.stdout).toHaveLength(0)
})

test('--resume works after a kill in the middle of a turn', async () => {
  const home = tempDir()
  const id = randomUUID()
  const killed = startSimulator([...live, '--session-id', id], { home })
  killed.prompt('sim:slow delayMs=3000')
  await killed.frame(isTextDelta)
  killed.signal('SIGKILL')
  await killed.ended
  const { frames } = await play('sim:history', [...live, '--resume', id], { home })
  expect(resultOf(frames)['result']).toContain('sim:slow')
  const [project, ...others] = readdirSync(join(home, 'projects'))
  expect(others).toEqual([])
  expect(readdirSync(join(home, 'projects', project!))).toEqual([`${id}.jsonl`])
})

test('/clear continues under a new session id without history', async () => {
  const home = tempDir()
  const simulator = startSimulator(live, { home })
  for (const prompt of ['sim:text one', '/clear', 'sim:history']) simulator.prompt(prompt)
  simulator.end()
  await simulator.ended
  const results = simulator.frames.filter(isResult)
  expect(results.map(frame => frame['result_index'])).toEqual([0, 1, 2])
  expect(results[1]).toMatchObject({ local_command: 'clear', total_cost_usd: 0, num_turns: 0 })
  expect(results[1]!['session_id']).not.toBe(results[0]!['session_id'])
  expect(results[2]).toMatchObject({ session_id: results[1]!['session_id'] })
  expect(results[2]!['result']).not.toContain('one')
})
