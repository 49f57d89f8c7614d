import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Event } from '../../protocol/index.ts'
import { userTexts } from '../support/messages-api/index.ts'
import { testAfter } from './support/newer-than.ts'
import { startSuite, type Suite, waitOptions } from './support/suite.ts'
import { ofType, one, play, streamedText, watch } from './support/watch.ts'
import { until } from '../support/until.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

const run = (prompt: string) => play(suite.mux, { prompt, cwd: suite.cwd })

test('a text is streamed in pieces, and the end of the run has the whole text and its cost', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:text:pieces please', cwd: suite.cwd })
  const events = await watch(handle).ended()
  const answer = 'The answer is pieces, says the stand-in.'
  expect(ofType(events, 'assistant_text').length).toBeGreaterThan(3)
  expect(streamedText(events)).toBe(answer)
  expect(one(events, 'done')).toMatchObject({ response: answer, numTurns: 1, stopReason: 'end_turn' })
  expect(one(events, 'message_finished').stopReason).toBe('end_turn')
  const { costUsd, runCostUsd } = one(events, 'cost')
  expect(costUsd).toBeGreaterThan(0)
  expect(runCostUsd).toBeCloseTo(costUsd, 9)
  expect(await handle.result()).toMatchObject({ response: answer, costUsd: runCostUsd })
})

test('Claude Code uses the session id of session_init in its requests', async () => {
  const events = await run('scn:text:id')
  const init = one(events, 'session_init')
  expect(init.claudeVersion).toMatch(/^2\./)
  expect(init.tools).toContain('Bash')
  expect(suite.api.requests.at(-1)!.session).toBe(init.claudeSessionId)
})

test('thinking and text are separate events', async () => {
  const events = await run('scn:thinking')
  const thought = ofType(events, 'thinking')
    .map(event => event.delta)
    .join('')
  expect(thought).toBe('Let me think about this for a moment.')
  expect(streamedText(events)).toBe('Thought through.')
})

test('a tool call has events for its start, its whole input and its result', async () => {
  const events = await run('scn:bash')
  const { toolUseId } = one(events, 'tool_started')
  expect(one(events, 'tool_use')).toMatchObject({ toolUseId, tool: 'Bash', input: { command: 'echo from-bash' } })
  expect(one(events, 'tool_result')).toMatchObject({ toolUseId, tool: 'Bash', output: 'from-bash', isError: false })
  expect(one(events, 'done')).toMatchObject({ response: 'The tool has run.', numTurns: 2 })
})

test('results of parallel tools come in the order in which the tools end', async () => {
  const events = await run('scn:parallel')
  const [slow, quick] = ofType(events, 'tool_use').map(event => event.toolUseId)
  expect(ofType(events, 'tool_result').map(({ toolUseId, output }) => ({ toolUseId, output }))).toEqual([
    { toolUseId: quick, output: 'second' },
    { toolUseId: slow, output: 'first' },
  ])
  expect(one(events, 'done').response).toBe('Both have run: 2 results.')
})

test('tool input that is not JSON arrives as its text', async () => {
  const events = await run('scn:broken-tool')
  expect(one(events, 'tool_use').input).toBe('{"command": "echo')
  expect(one(events, 'tool_result').isError).toBe(true)
  expect(one(events, 'done').response).toBe('Never mind.')
})

test('events of a sub-agent name the call that started it, and its text is not part of the answer', async () => {
  const events = await run('scn:agent')
  const call = ofType(events, 'tool_use').find(event => event.tool === 'Agent')!
  const inside = events.filter(event => event.parent === call.toolUseId)
  expect(ofType(inside, 'tool_use')).toMatchObject([{ tool: 'Bash', input: { command: 'echo from-the-agent' } }])
  expect(ofType(inside, 'tool_result')).toMatchObject([{ output: 'from-the-agent' }])
  expect(ofType(events, 'task').map(event => event.phase)).toEqual(expect.arrayContaining(['started', 'ended']))
  expect(streamedText(events)).toBe('The agent reported back.')
  expect(one(events, 'done').response).toBe('The agent reported back.')
})

test('the end of a background task starts a run of its own', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:background', cwd: suite.cwd })
  const first = await watch(handle).ended()
  expect(one(first, 'done').response).toBe('It runs in the background.')

  const later: Event[] = []
  for await (const event of suite.mux.subscribe(`session/${handle.session}`, { since: 'start' })) {
    if (event.type === 'gap' || event.run === handle.id) continue
    later.push(event)
    if (event.type === 'done' || event.type === 'failed') break
  }
  expect(one(later, 'run_started').origin).toMatchObject({ background: { kind: 'task-notification' } })
  expect(ofType([...first, ...later], 'task').map(event => event.phase)).toEqual(
    expect.arrayContaining(['started', 'ended']),
  )
  expect(one(later, 'done').response).toBe('The background task has ended.')
})

test('a background task ends when its session is closed', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:long-background:outlive', cwd: suite.cwd })
  const events = await watch(handle).ended()
  expect(one(events, 'done').response).toBe('It will run for ever.')
  const running = () => suite.processes().filter(each => each.commandLine.includes('/nowhere/outlive'))
  expect(running()).not.toEqual([])
  await suite.mux.api.session.close({ session: handle.session })
  await until(() => expect(running()).toEqual([]), waitOptions)
})

testAfter('2.1.197', 'it prints no boundary')(
  '/compact emits a compaction event, and the conversation continues',
  async () => {
    const first = await suite.mux.run({ prompt: 'scn:text:long-ago', cwd: suite.cwd })
    await first.result()
    const { session } = first
    const events = await play(suite.mux, { prompt: '/compact', session })
    expect(one(events, 'compaction')).toMatchObject({ trigger: 'manual', preTokens: expect.any(Number) as number })
    expect(ofType(events, 'status').map(event => event.status)).toContain('compacting')
    expect(one(events, 'done')).toMatchObject({ numTurns: 0 })
    const next = await play(suite.mux, { prompt: 'scn:text:since', session })
    expect(one(next, 'done').response).toContain('since')
  },
)

test('an answer of 1 MB arrives whole', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:big', cwd: suite.cwd })
  const events = await watch(handle).ended()
  expect(streamedText(events)).toHaveLength(256 * 4_096)
  const { response } = await handle.result()
  expect(response).toBe(streamedText(events))
})

test('a prompt of 2 MB reaches the model whole', async () => {
  const prompt = `scn:text:huge ${'é½x '.repeat(350_000)}end`
  expect(Buffer.byteLength(prompt)).toBeGreaterThan(2_000_000)
  const events = await run(prompt)
  expect(one(events, 'done').response).toContain('huge')
  expect(userTexts(suite.api.requests.at(-1)!.body)).toContain(prompt)
})

test('a prompt that looks like an option is sent as a prompt', async () => {
  const prompt = '--help -p scn:text:dashes'
  const events = await run(prompt)
  expect(one(events, 'done').response).toContain('dashes')
  expect(userTexts(suite.api.requests.at(-1)!.body)).toContain(prompt)
})

test('runs of one session use one process, and each has its own answer', async () => {
  const first = await suite.mux.run({ prompt: 'scn:text:one', cwd: suite.cwd })
  await first.result()
  const { session } = first
  const before = await suite.mux.api.session.get({ session })
  const runs = await Promise.all(['two', 'three'].map(name => suite.mux.run({ prompt: `scn:text:${name}`, session })))
  const answers = await Promise.all(runs.map(async each => (await each.result()).response))
  expect(answers).toEqual(['The answer is two, says the stand-in.', 'The answer is three, says the stand-in.'])
  const after = await suite.mux.api.session.get({ session })
  expect(after.process).toEqual(before.process)
  expect(after.costUsd).toBeGreaterThan(before.costUsd)
})
