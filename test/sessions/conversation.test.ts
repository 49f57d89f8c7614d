import { beforeEach, describe, expect, it } from 'vitest'
import { claude } from '../../daemon/agents/claude/agent.ts'
import type { ClaudeDecoder } from '../../daemon/agents/claude/claude-decoder.ts'
import type { LiveRun } from '../../daemon/sessions/machine/fold/live-run.ts'
import { activityOf } from '../../daemon/sessions/machine/project.ts'
import { foldedSession, type FoldedSession } from '../support/folded-session.ts'
import { expectWholeLog } from '../support/whole-log.ts'

const claudeSession = '11111111-1111-4111-8111-111111111111'

let session: FoldedSession
let offset: number

beforeEach(() => {
  session = foldedSession()
  offset = 0
})

const frame = (value: object) => {
  offset += 10
  session.line({ frame: { session_id: claudeSession, ...value }, offset, time: offset })
}
const init = (...uuids: string[]) =>
  frame({ type: 'system', subtype: 'init', tools: [], ...(uuids.length > 0 && { user_message_uuids: uuids }) })
const result = (more: object) =>
  frame({ type: 'result', subtype: 'success', is_error: false, result: 'answer', total_cost_usd: 0.5, ...more })
const prompt = (text: string): LiveRun => session.prompt(text)
const log = () => {
  const events = session.texts().map(text => JSON.parse(text) as LogEvent)
  expectWholeLog(events)
  return events
}
interface LogEvent {
  seq: number
  type: string
  run: string | null
  [field: string]: unknown
}
const idOf = (run: LiveRun) => run.stored.run.run
const askForEnd = (
  run: LiveRun,
  request: { by: typeof client; mode: 'interrupt' | 'terminate' | 'kill'; reason?: string },
) => session.act({ act: 'cancel', run: idOf(run), ...request }, 2)
const client = { client: 'c_2', name: 'canceller' }
const lose = (run: LiveRun) =>
  session.act({ act: 'ended', run: idOf(run), cause: 'lost', reason: 'the test is over' }, 2)
const activity = (run: LiveRun) => activityOf({ s: session.state }, idOf(run), offset)
const uuid = (run: LiveRun) => run.stored.promptUuid!
const own = { origin: { kind: 'task-notification' } }

describe('a turn and its run', () => {
  it('are matched by the uuid of the prompt', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: uuid(run) })
    expect(run.stored.run).toMatchObject({ state: 'done', result: { response: 'answer', costUsd: 0.5 } })
    expect(log().at(-1)).toMatchObject({ type: 'done', run: run.stored.run.run })
  })

  it('are separate from a turn of Claude Code itself, which becomes a background run', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: uuid(run) })
    init()
    expect(session.state.background?.stored.run).toMatchObject({ state: 'running', prompt: '' })
    const background = session.state.background!
    result(own)
    expect(background.stored.run.state).toBe('done')
    expect(
      log()
        .filter(({ type }) => type === 'done')
        .map(event => event.run),
    ).toEqual([run.stored.run.run, background.stored.run.run])
  })

  it('end together with a turn of Claude Code itself that the prompt has joined', () => {
    const first = prompt('one')
    init(uuid(first))
    result({ user_message_uuid: uuid(first) })
    init()
    const background = session.state.background!
    const joined = prompt('came in the middle')
    result({ ...own, user_message_uuids: [uuid(joined)] })
    expect(background.stored.run.state).toBe('done')
    expect(joined.stored.run.state).toBe('done')
    expect([session.state.active, session.state.background]).toEqual([null, null])
    log()
  })

  it('are matched by their order if no frame names a prompt', () => {
    const run = prompt('one')
    init()
    expect(session.state.background).toBeNull()
    result({})
    expect(run.stored.run.state).toBe('done')
  })

  it('do not end with an unnamed result before the init of the turn if prompts are named', () => {
    const first = prompt('one')
    init(uuid(first))
    result({ user_message_uuid: uuid(first) })
    const second = prompt('two')
    result({})
    expect(second.stored.run.state).toBe('running')
    init(uuid(second))
    result({ user_message_uuid: uuid(second) })
    expect(second.stored.run.state).toBe('done')
    expect(log().filter(({ type }) => type === 'done')).toHaveLength(2)
  })

  it.each([
    ['completed', 'done'],
    ['cancelled', 'failed'],
  ] as const)('end when Claude Code reports the prompt as %s without a result', (state, end) => {
    const run = prompt('one')
    init(uuid(run))
    frame({ type: 'assistant', message: { id: 'm', content: [{ type: 'text', text: 'half' }] } })
    frame({ type: 'command_lifecycle', command_uuid: uuid(run), state })
    expect(run.stored.run).toMatchObject({ state: end, result: { response: 'half', costUsd: 0 } })
    log()
  })

  it('are cancelled in the name of the client if the prompt is cancelled without a result', () => {
    const run = prompt('one')
    init(uuid(run))
    askForEnd(run, { by: { client: 'c_2', name: 'other' }, mode: 'interrupt' })
    frame({ type: 'command_lifecycle', command_uuid: uuid(run), state: 'cancelled' })
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', by: { name: 'other' } })
  })

  it('do not end with another prompt or during background work', () => {
    const run = prompt('one')
    init(uuid(run))
    frame({ type: 'command_lifecycle', command_uuid: 'of a steered prompt', state: 'completed' })
    frame({ type: 'system', subtype: 'background_tasks_changed', tasks: [{ task_id: 't' }] })
    frame({ type: 'command_lifecycle', command_uuid: uuid(run), state: 'completed' })
    expect(run.stored.run.state).toBe('running')
    result({ user_message_uuid: uuid(run) })
    expect(run.stored.run).toMatchObject({ state: 'done', result: { costUsd: 0.5 } })
    log()
  })

  it('end once, and a second result becomes a notice', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: uuid(run) })
    result({ user_message_uuid: uuid(run), is_error: true, subtype: 'error_during_execution' })
    expect(run.stored.run.state).toBe('done')
    expect(log().at(-1)).toMatchObject({ type: 'notice', kind: 'result', run: null })
  })

  it('do not end with the result of an unknown prompt', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: '22222222-2222-4222-8222-222222222222' })
    expect(run.stored.run.state).toBe('running')
  })
})

describe('a requested end of a run', () => {
  const by = client
  const asked = (mode: 'interrupt' | 'terminate' | 'kill') => {
    const run = prompt('one')
    init(uuid(run))
    askForEnd(run, { by, mode, reason: 'enough' })
    return run
  }
  const aborted = (run: LiveRun) =>
    result({ user_message_uuid: uuid(run), is_error: true, subtype: 'error_during_execution' })

  it('is logged as the end of the turn if Claude Code obeys the interrupt', () => {
    aborted(asked('interrupt'))
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', by, reason: 'enough', mode: 'interrupt', ended: 'turn' })
  })

  it.each<[string, (run: LiveRun) => void]>([
    ['signalled', run => session.act({ act: 'escalated', run: idOf(run), step: 'sigint' })],
    ['killed by another client', run => askForEnd(run, { by: { client: 'c_3', name: 'x' }, mode: 'kill' })],
  ])('is logged as the end of the process if that was %s', (_how, harder) => {
    const run = asked('interrupt')
    harder(run)
    aborted(run)
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', by, ended: 'process', mode: run.cancel!.mode })
  })

  it('is logged as the end of nothing if the prompt was never sent', () => {
    const run = asked('interrupt')
    session.act({ act: 'ended', run: idOf(run), cause: 'unsent' }, 3)
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', ended: 'nothing' })
  })

  it('fails with the code of a reached limit, and is done if the turn still succeeds', () => {
    for (const [limit, code] of [
      ['timeoutMs', 'timed_out'],
      ['inactivityMs', 'inactive'],
    ] as const) {
      const run = prompt('one')
      init(uuid(run))
      session.act({ act: 'limit', run: idOf(run), reached: { limit, value: 5 } }, 2)
      expect(run.stored.run.state).toBe('cancelling')
      aborted(run)
      expect(run.stored.run).toMatchObject({ state: 'failed', result: { failure: { code } } })
    }
    const run = prompt('one')
    init(uuid(run))
    session.act({ act: 'limit', run: idOf(run), reached: { limit: 'timeoutMs', value: 5 } }, 2)
    result({ user_message_uuid: uuid(run) })
    expect(run.stored.run.state).toBe('done')
  })
})

describe('the activity of a conversation', () => {
  it('is the start of the run, then the last output of its process', () => {
    const run = prompt('one')
    expect(activity(run)).toEqual({ at: 1, silentMs: 0, what: 'run_started' })
    init(uuid(run))
    expect(activity(run)).toEqual({ at: offset, silentMs: 0, what: 'session_init' })
    frame({
      type: 'assistant',
      parent_tool_use_id: null,
      message: { id: 'm', role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }] },
    })
    frame({ type: 'system', subtype: 'status', status: 'requesting' })
    expect(activity(run)).toEqual({ at: offset, silentMs: 0, what: 'Bash' })
    const back = [{ type: 'tool_result', tool_use_id: 't', content: 'well' }]
    frame({ type: 'user', parent_tool_use_id: null, message: { role: 'user', content: back } })
    expect(activity(run)).toEqual({ at: offset, silentMs: 0, what: 'tool_result' })
    result({ user_message_uuid: uuid(run) })
    expect(activity(run)).toBeUndefined()
  })
})

describe('the record of a conversation', () => {
  it('has the id that Claude Code reported last and the total cost', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: uuid(run) })
    expect(session.state.session).toMatchObject({ conversationId: claudeSession, costUsd: 0.5 })
    expect(claude.counterUsd(session.state.process!.decoder as ClaudeDecoder)).toBe(0.5)
  })

  it('has the model and mode reported last, and is the same object if nothing changed', () => {
    prompt('one')
    frame({ type: 'system', subtype: 'init', tools: [], model: 'm', permissionMode: 'default' })
    frame({ type: 'system', subtype: 'status', status: null, permissionMode: 'plan' })
    expect(session.state.session).toMatchObject({ model: 'm', permissionMode: 'plan' })
    const { session: record } = session.state
    frame({ type: 'system', subtype: 'status', status: 'requesting', permissionMode: 'plan' })
    expect(session.state.session).toBe(record)
  })

  it.each([
    ['a fork ended in its first moments', null, null],
    ['a resumed process ended in its first moments', claudeSession, claudeSession],
  ])('after %s: the conversation id is %s', (_what, claudeSessionId, kept) => {
    session = foldedSession({ claudeSessionId, costUsd: 0, counterUsd: 0, resumed: true })
    const run = prompt('one')
    init(uuid(run))
    session.act({ act: 'process_ended', status: 0, stderrTail: '', forced: false, exitKnown: true }, offset + 100)
    expect(session.state.session.conversationId).toBe(kept)
  })

  it('keeps the partial response of a run whose process ended without a result', () => {
    const run = prompt('one')
    init(uuid(run))
    frame({
      type: 'assistant',
      parent_tool_use_id: null,
      message: { id: 'm', role: 'assistant', content: [{ type: 'text', text: 'half an ans' }] },
    })
    session.act({ act: 'process_ended', status: 137, stderrTail: '', forced: false, exitKnown: true }, 99)
    expect(log().at(-1)).toMatchObject({ type: 'failed', failure: { code: 'killed' }, response: 'half an ans' })
  })
})

describe('an approval that Claude Code requests', () => {
  const ask = (requestId: string, more: object = {}) =>
    frame({ type: 'control_request', request_id: requestId, request: { ...request, ...more } })
  const request = { subtype: 'can_use_tool', tool_name: 'Write', input: { a: 1 }, tool_use_id: 't', description: 'a' }
  const background = (...ids: string[]) =>
    frame({ type: 'system', subtype: 'background_tasks_changed', tasks: ids.map(id => ({ task_id: id })) })
  const asked = () => session.state.open.map(({ approval }) => approval)
  const about = () => log().flatMap(each => (each.type.startsWith('approval') ? [each] : []))

  it('is created once, however often Claude Code repeats the request', () => {
    const run = prompt('one')
    ask('q1')
    ask('q1')
    const pending = [{ type: 'control_request', request_id: 'q1', request }]
    const response = { subtype: 'success', request_id: 'init', pending_permission_requests: pending, response: {} }
    frame({ type: 'control_response', response })
    expect(asked()).toMatchObject([{ run: run.stored.run.run, input: { a: 1 }, description: 'a', state: 'pending' }])
    session.act({ act: 'resolved', approval: asked()[0]!.approval, resolution: { decision: 'deny', answer: null } })
    frame({ type: 'control_response', response })
    lose(run)
    expect(about().map(({ type }) => type)).toEqual(['approval_requested', 'approval_resolved'])
  })

  it('is also created if only the answer to initialize contains the request', () => {
    const run = prompt('one')
    const pending = ['q1', 'q2'].map(id => ({ type: 'control_request', request_id: id, request }))
    const response = { subtype: 'success', request_id: 'init', pending_permission_requests: pending, response: {} }
    frame({ type: 'control_response', response })
    expect(new Set(asked().map(({ approval }) => approval)).size).toBe(2)
    lose(run)
  })

  it('names the parent tool call if a sub-agent asks', () => {
    const run = prompt('one')
    frame({ type: 'system', subtype: 'task_started', task_id: 'agent', tool_use_id: 'call' })
    ask('q1', { agent_id: 'agent' })
    expect(asked()).toMatchObject([{ run: run.stored.run.run, parent: 'call' }])
    lose(run)
    expect(about()).toMatchObject([{ parent: 'call' }, { parent: 'call', decision: 'withdrawn' }])
  })

  it('for a background task outlives the run until Claude Code withdraws it', () => {
    const run = prompt('one')
    init(uuid(run))
    background('agent')
    ask('q1', { agent_id: 'agent' })
    ask('q2')
    result({ user_message_uuid: uuid(run) })
    expect(asked()).toMatchObject([{ run: null }])
    frame({ type: 'control_cancel_request', request_id: 'q1' })
    expect(asked()).toEqual([])
    expect(about().slice(2)).toMatchObject([
      { type: 'approval_resolved', run: run.stored.run.run, decision: 'withdrawn' },
      { type: 'approval_resolved', run: null, decision: 'withdrawn' },
    ])
  })

  it('during a cancel is withdrawn in the name of the canceller', () => {
    const run = prompt('one')
    askForEnd(run, { by: client, mode: 'interrupt' })
    ask('q1')
    frame({ type: 'control_cancel_request', request_id: 'q1' })
    frame({ type: 'control_cancel_request', request_id: 'q1' })
    lose(run)
    expect(about().slice(1)).toMatchObject([{ decision: 'withdrawn', by: { name: 'canceller' } }])
  })
})
