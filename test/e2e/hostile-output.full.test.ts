import { expect, test } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { muxd } from '../cli/muxd.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { goingOn, printing } from '../support/printing.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

/** The random generator of the running test. */
let random: Random
const upTo = (max: number) => random.whole(0, max)
const pick = <T>(...items: [T, ...T[]]): T => random.pick(items)

const words: [string, ...string[]] = [
  'id',
  'type',
  'message',
  'content',
  'text',
  'usage',
  '__proto__',
  'constructor',
  'toString',
  '',
  'toolu_1',
]

/** Returns the text of a random JSON value, including forms that `JSON.stringify` never writes. */
function value(levels = 4): string {
  const leaf = () =>
    pick(
      () => 'null',
      () => pick('true', 'false'),
      () => pick('0', '-1', '1e308', '-1e308', '1e999', '0.1', '9007199254740993', '1795220973269'),
      () => JSON.stringify(random.pick(words)),
      () => '"\\ud800"',
      () => '"\\u0000\\u001b[2J\\u2028"',
      () => JSON.stringify('x'.repeat(upTo(3_000))),
    )()
  if (levels === 0) return leaf()
  const many = (make: () => string) => Array.from({ length: upTo(4) }, make).join(',')
  return pick(
    leaf,
    () => `[${many(() => value(levels - 1))}]`,
    () => `{${many(() => `${JSON.stringify(random.pick(words))}:${value(levels - 1)}`)}}`,
    () => '['.repeat(300) + ']'.repeat(300),
  )()
}

const types: [string, ...string[]] = [
  'assistant',
  'user',
  'system',
  'result',
  'stream_event',
  'tool_progress',
  'rate_limit_event',
  'conversation_reset',
  'control_request',
  'control_response',
  'control_cancel_request',
]
const subtypes: [string, ...string[]] = [
  'init',
  'status',
  'task_started',
  'task_notification',
  'background_tasks_changed',
  'success',
  'error_x',
]
const fields: [string, ...string[]] = [
  'message',
  'event',
  'usage',
  'modelUsage',
  'total_cost_usd',
  'model_usage_since_last_result',
  'result',
  'tool_use_id',
  'parent_tool_use_id',
  'tools',
  'tasks',
  'task_id',
  'request',
  'request_id',
  'response',
  'rate_limit_info',
  'session_id',
  'user_message_uuids',
  'supersedes',
  'uuid',
  'duration_ms',
  'elapsed_time_seconds',
]

function frame(): string {
  const own = Array.from({ length: upTo(6) }, () => `"${random.pick(fields)}":${value()}`)
  const content = `{"id":${value(0)},"content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":${value()}},${value()}]}`
  const asked = `{"subtype":"can_use_tool","tool_name":${value(0)},"input":${value()}}`
  const more = pick<string[]>([], [`"message":${content}`], [`"request_id":"r${upTo(5)}"`, `"request":${asked}`])
  return `{${[`"type":"${random.pick(types)}"`, `"subtype":"${random.pick(subtypes)}"`, ...own, ...more].join(',')}}`
}

function line(): string {
  return pick(
    frame,
    frame,
    frame,
    () => frame() + frame(),
    () => `stray text ${frame()} more`,
    () => frame().slice(0, upTo(200)),
    () => `{"type":"user","tool_use_result":${'['.repeat(4_200)}${']'.repeat(4_200)}}`,
    () => '{"a":'.repeat(20_000),
    () => `{"type":"user","message":{"content":"${'y'.repeat(1_000_000)}"}}`,
    () => '1\n'.repeat(10),
    () => `\u001b[2K\u001b]0;title\u0007${frame()}\u001b[0m`,
    () => value(),
  )()
}

const lines = (count: number) => Array.from({ length: count }, line)

/** Returns the stored events. Large events are read in full by a separate call. */
const log = async (peer: RpcPeer, session: string) => {
  const events = await readLog<WireEvent>(params => peer.call('topic.read', params), session)
  return events.map(event => JSON.stringify(event))
}

test('hostile output of one session affects neither other sessions nor the next daemon nor the CLI', async () => {
  random = createRandom(testSeed())
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const start = (prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
  const other = await start('sim:hang at=text')
  const ending = await Promise.all([start(printing(lines(150))), start(printing(lines(150)))])
  const living = await start(goingOn([...lines(60), '{"type":"tool_progress","tool_use_id":"the last"}']))
  for (const { run } of ending) {
    const { state, result } = await peer.call<Run>('run.wait', { run })
    expect(['done', 'failed']).toContain(state)
    expect(result?.failure?.code).not.toBe('internal')
  }
  const isRead = async () => (await log(peer, living.session)).join('').includes('"the last"')
  await until(async () => expect(await isRead()).toBe(true), { timeout: 120_000 })
  const sessions = [other, living, ...ending].map(({ session }) => session)
  const before = new Map<string, string[]>()
  for (const session of sessions) before.set(session, await log(peer, session))
  expect((await peer.call<Run>('run.get', { run: other.run })).state).toBe('running')

  await daemon.kill()
  const next = await startTestDaemon({ home: daemon.home })
  const again = await next.peer()
  for (const session of sessions) {
    const events = await log(again, session)
    expect(events.slice(0, before.get(session)!.length)).toEqual(before.get(session))
    expect(events.some(event => event.includes('"log_damaged"'))).toBe(false)
    const record = await again.call<Session>('session.get', { session })
    expect(record).not.toHaveProperty('fault')
    expect(record).not.toHaveProperty('unusable')
  }
  expect((await again.call<Run>('run.get', { run: other.run })).state).toBe('running')
  const listed = await muxd(['ls', '--home', daemon.home]).ended
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  for (const session of sessions) expect(listed.stdout).toContain(session)
  expect(await muxd(['stop', '--home', daemon.home]).ended).toMatchObject({ code: 0 })
  const last = await startTestDaemon({ home: daemon.home })
  const reader = await last.peer()
  for (const session of sessions) {
    const events = await readLog<WireEvent>(params => reader.call('topic.read', params), session)
    expectWholeLog(events)
  }
}, 240_000)
