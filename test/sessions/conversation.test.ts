import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createRun, type ActiveRun } from '../../daemon/sessions/active-run.ts'
import { askForEnd, exceed, pursue } from '../../daemon/sessions/asked-end.ts'
import type { Conversation } from '../../daemon/sessions/conversation.ts'
import type { Recorder } from '../../daemon/sessions/recorder.ts'
import { openStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { onTestFinished } from 'vitest'
import { openConversation } from '../support/conversation.ts'
import { processOf, session as sessionRecord } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog } from '../support/whole-log.ts'

const session = sessionRecord('s_1')
const process = processOf('s_1', 'p_1')
const claudeSession = '11111111-1111-4111-8111-111111111111'

let store: Store
let recorder: Recorder
let conversation: Conversation
let offset: number

beforeEach(() => {
  store = openStore(join(tempDir(), 'muxd.db'), { ballastBytes: 0 })
  onTestFinished(() => store.close())
  store.sessions.add(session)
  store.processes.save(process)
  ;({ recorder, conversation } = openConversation(store, process))
  offset = 0
})

const frame = (value: object) => {
  offset += 10
  conversation.line({ frame: { session_id: claudeSession, ...value }, offset, time: offset }, 'p_1')
}
const init = (...uuids: string[]) =>
  frame({ type: 'system', subtype: 'init', tools: [], ...(uuids.length > 0 && { user_message_uuids: uuids }) })
const result = (more: object) =>
  frame({ type: 'result', subtype: 'success', is_error: false, result: 'answer', total_cost_usd: 0.5, ...more })
const prompt = (text: string): ActiveRun => {
  const run = createRun('s_1', text, { client: 'c_1', name: 'test' }, recorder.head + 1)
  conversation.begin(run, 1)
  return run
}
const log = () => {
  recorder.commit()
  const events = store.events.read('s_1', 0, 1_000, Infinity).map(text => JSON.parse(text) as LogEvent)
  expectWholeLog(events)
  return events
}
interface LogEvent {
  seq: number
  type: string
  run: string | null
  [field: string]: unknown
}
const uuid = (run: ActiveRun) => run.stored.promptUuid!
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
    expect(conversation.background?.stored.run).toMatchObject({ state: 'running', prompt: '' })
    const background = conversation.background!
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
    const background = conversation.background!
    const joined = prompt('came in the middle')
    result({ ...own, user_message_uuids: [uuid(joined)] })
    expect(background.stored.run.state).toBe('done')
    expect(joined.stored.run.state).toBe('done')
    expect([conversation.active, conversation.background]).toEqual([null, null])
    log()
  })

  it('are matched by their order if no frame names a prompt', () => {
    const run = prompt('one')
    init()
    expect(conversation.background).toBeNull()
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
    conversation.end(run, 'cancel_requested', 2)
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
  const by = { client: 'c_2', name: 'canceller' }
  const asked = (mode: 'interrupt' | 'terminate' | 'kill') => {
    const run = prompt('one')
    init(uuid(run))
    askForEnd(run, { by, mode, reason: 'enough' })
    conversation.end(run, 'cancel_requested', 2)
    return run
  }
  const aborted = (run: ActiveRun) =>
    result({ user_message_uuid: uuid(run), is_error: true, subtype: 'error_during_execution' })

  it('is logged as the end of the turn if Claude Code obeys the interrupt', () => {
    aborted(asked('interrupt'))
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', by, reason: 'enough', mode: 'interrupt', ended: 'turn' })
  })

  it.each<[string, (run: ActiveRun) => void]>([
    ['signalled', run => pursue(run, 'sigint')],
    ['killed by another client', run => askForEnd(run, { by: { client: 'c_3', name: 'x' }, mode: 'kill' })],
  ])('is logged as the end of the process if that was %s', (_how, harder) => {
    const run = asked('interrupt')
    harder(run)
    aborted(run)
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', by, ended: 'process', mode: run.cancel!.mode })
  })

  it('is logged as the end of nothing if the prompt was never sent', () => {
    const run = asked('interrupt')
    conversation.end(run, 'process_ended', 3, { unsent: true })
    expect(log().at(-1)).toMatchObject({ type: 'cancelled', ended: 'nothing' })
  })

  it('fails with the code of a reached limit, and is done if the turn still succeeds', () => {
    for (const [limit, code] of [
      ['timeoutMs', 'timed_out'],
      ['inactivityMs', 'inactive'],
    ] as const) {
      const run = prompt('one')
      init(uuid(run))
      exceed(run, { limit, value: 5 })
      conversation.end(run, 'limit_reached', 2)
      expect(run.stored.run.state).toBe('cancelling')
      aborted(run)
      expect(run.stored.run).toMatchObject({ state: 'failed', result: { failure: { code } } })
    }
    const run = prompt('one')
    init(uuid(run))
    exceed(run, { limit: 'timeoutMs', value: 5 })
    conversation.end(run, 'limit_reached', 2)
    result({ user_message_uuid: uuid(run) })
    expect(run.stored.run.state).toBe('done')
  })
})

describe('the activity of a conversation', () => {
  it('is the start of the run, then the last output of its process', () => {
    expect(conversation.activity).toBeUndefined()
    const run = prompt('one')
    expect(conversation.activity).toEqual({ at: 1, what: 'run_started' })
    init(uuid(run))
    expect(conversation.activity).toEqual({ at: offset, what: 'session_init' })
    frame({
      type: 'assistant',
      parent_tool_use_id: null,
      message: { id: 'm', role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }] },
    })
    frame({ type: 'system', subtype: 'status', status: 'requesting' })
    expect(conversation.activity).toEqual({ at: offset, what: 'Bash' })
    const back = [{ type: 'tool_result', tool_use_id: 't', content: 'well' }]
    frame({ type: 'user', parent_tool_use_id: null, message: { role: 'user', content: back } })
    expect(conversation.activity).toEqual({ at: offset, what: 'tool_result' })
    result({ user_message_uuid: uuid(run) })
    expect(conversation.activity).toBeUndefined()
  })
})

describe('the record of a conversation', () => {
  it('has the id that Claude Code reported last and the total cost', () => {
    const run = prompt('one')
    init(uuid(run))
    result({ user_message_uuid: uuid(run) })
    expect(conversation.record).toMatchObject({ conversationId: claudeSession, costUsd: 0.5 })
    expect(conversation.counterUsd).toBe(0.5)
  })

  it('has the model and mode reported last, and is the same object if nothing changed', () => {
    prompt('one')
    frame({ type: 'system', subtype: 'init', tools: [], model: 'm', permissionMode: 'default' })
    frame({ type: 'system', subtype: 'status', status: null, permissionMode: 'plan' })
    expect(conversation.record).toMatchObject({ model: 'm', permissionMode: 'plan' })
    const { record } = conversation
    frame({ type: 'system', subtype: 'status', status: 'requesting', permissionMode: 'plan' })
    expect(conversation.record).toBe(record)
  })

  it('is unkept if a fork ended in its first moments, but not if a resumed process did', () => {
    const run = prompt('one')
    conversation.processStarted(processOf('s_1', 'p_1', { resumed: true, claudeSessionIdBefore: null }))
    init(uuid(run))
    expect(conversation.isUnkept(conversation.lastLineAt! + 100)).toBe(true)
    conversation.processStarted(processOf('s_1', 'p_1', { resumed: true, claudeSessionIdBefore: claudeSession }))
    init(uuid(run))
    expect(conversation.isUnkept(conversation.lastLineAt! + 100)).toBe(false)
  })

  it('keeps the partial response of a run whose process ended without a result', () => {
    const run = prompt('one')
    init(uuid(run))
    frame({
      type: 'assistant',
      parent_tool_use_id: null,
      message: { id: 'm', role: 'assistant', content: [{ type: 'text', text: 'half an ans' }] },
    })
    conversation.end(run, 'process_ended', 99, { failure: conversation.failure(137, '') })
    expect(log().at(-1)).toMatchObject({ type: 'failed', failure: { code: 'killed' }, response: 'half an ans' })
  })
})

describe('an approval that Claude Code requests', () => {
  const ask = (requestId: string, more: object = {}) =>
    frame({ type: 'control_request', request_id: requestId, request: { ...request, ...more } })
  const request = { subtype: 'can_use_tool', tool_name: 'Write', input: { a: 1 }, tool_use_id: 't', description: 'a' }
  const background = (...ids: string[]) =>
    frame({ type: 'system', subtype: 'background_tasks_changed', tasks: ids.map(id => ({ task_id: id })) })
  const asked = () => conversation.questions.open.map(({ approval }) => approval)
  const about = () => log().flatMap(each => (each.type.startsWith('approval') ? [each] : []))

  it('is created once, however often Claude Code repeats the request', () => {
    const run = prompt('one')
    ask('q1')
    ask('q1')
    const pending = [{ type: 'control_request', request_id: 'q1', request }]
    const response = { subtype: 'success', request_id: 'init', pending_permission_requests: pending, response: {} }
    frame({ type: 'control_response', response })
    expect(asked()).toMatchObject([{ run: run.stored.run.run, input: { a: 1 }, description: 'a', state: 'pending' }])
    conversation.questions.resolve(conversation.questions.open[0]!, { decision: 'deny', answer: null }, 1)
    frame({ type: 'control_response', response })
    conversation.end(run, 'lost', 2)
    expect(about().map(({ type }) => type)).toEqual(['approval_requested', 'approval_resolved'])
  })

  it('is also created if only the answer to initialize contains the request', () => {
    const run = prompt('one')
    const pending = ['q1', 'q2'].map(id => ({ type: 'control_request', request_id: id, request }))
    const response = { subtype: 'success', request_id: 'init', pending_permission_requests: pending, response: {} }
    frame({ type: 'control_response', response })
    expect(new Set(asked().map(({ approval }) => approval)).size).toBe(2)
    conversation.end(run, 'lost', 2)
  })

  it('names the parent tool call if a sub-agent asks', () => {
    const run = prompt('one')
    frame({ type: 'system', subtype: 'task_started', task_id: 'agent', tool_use_id: 'call' })
    ask('q1', { agent_id: 'agent' })
    expect(asked()).toMatchObject([{ run: run.stored.run.run, parent: 'call' }])
    conversation.end(run, 'lost', 2)
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
    run.cancel = { by: { client: 'c_2', name: 'canceller' }, mode: 'interrupt' }
    conversation.end(run, 'cancel_requested', 2)
    ask('q1')
    frame({ type: 'control_cancel_request', request_id: 'q1' })
    frame({ type: 'control_cancel_request', request_id: 'q1' })
    conversation.end(run, 'lost', 3)
    expect(about().slice(1)).toMatchObject([{ decision: 'withdrawn', by: { name: 'canceller' } }])
  })
})
