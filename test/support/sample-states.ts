import type { SessionState } from '../../daemon/sessions/machine/fold/state.ts'
import { foldedSession, type FoldedSession } from './folded-session.ts'

/**
 * Sessions at work whose states together have every field of a snapshot. `rest` continues a session to its end.
 */
export interface Sample {
  title: string
  session: FoldedSession
  rest(session: FoldedSession): void
}

export function sampleSessions(): Sample[] {
  return [turnUnderWay(), ownTurn(), heldOutcome()]
}

const conversation = '11111111-1111-4111-8111-111111111111'
const by = { client: 'c_1', name: 'test' }
const limits = { timeoutMs: 60_000, inactivityMs: 30_000 }

/** Prints frames one after the other, ten bytes and ten milliseconds each. */
function printer({ line, state }: FoldedSession) {
  return (...frames: object[]) => {
    for (const frame of frames) {
      const offset = (state.process?.offset ?? 0) + 10
      line({ frame: { session_id: conversation, ...frame }, offset, time: offset })
    }
  }
}

const init = (...uuids: string[]) => ({
  type: 'system',
  subtype: 'init',
  model: 'claude-opus',
  permissionMode: 'default',
  tools: [],
  ...(uuids.length > 0 && { user_message_uuids: uuids }),
})
const asks = (id: string, more: object = {}) => ({
  type: 'control_request',
  request_id: id,
  request: { subtype: 'can_use_tool', tool_name: 'Bash', input: { command: 'ls' }, tool_use_id: `t_${id}`, ...more },
})
const answered = (id: string) => ({ type: 'control_response', response: { subtype: 'success', request_id: id } })
const stream = (event: object) => ({ type: 'stream_event', uuid: 'u_1', parent_tool_use_id: null, event })
const result = (more: object) => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  result: 'answer',
  total_cost_usd: 0.5,
  usage: { input_tokens: 10, output_tokens: 20 },
  ...more,
})

/** A run that is being cancelled, with a running tool, a question, an answer, a reply, and a queue. */
function turnUnderWay(): Sample {
  const session = foldedSession()
  const print = printer(session)
  const { act, state } = session
  act({ act: 'updated', changes: { title: 'a title', approvals: { policy: 'ask', rules: ['Read'] } }, by })
  act({ act: 'queued', run: 'r_1', promptUuid: 'uuid_1', prompt: 'first', limits, by })
  act({ act: 'started', run: 'r_1' })
  act({ act: 'queued', run: 'r_2', promptUuid: 'uuid_2', prompt: 'second', by })
  act({ act: 'queued', run: 'r_3', promptUuid: 'uuid_3', prompt: 'third', limits: { maxTurns: 2 }, by })
  print(answered('init'), answered('rules-1'), init('uuid_1'))
  print(
    stream({ type: 'message_start', message: { id: 'm_1', model: 'claude-opus' } }),
    stream({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    stream({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } }),
  )
  const tool = { type: 'tool_use', id: 't_q1', name: 'Bash', input: { command: 'ls' } }
  print({ type: 'assistant', uuid: 'u_2', message: { id: 'm_2', content: [tool] } })
  print({ type: 'system', subtype: 'task_started', task_id: 'agent', tool_use_id: 't_q1', description: 'an agent' })
  print({ type: 'system', subtype: 'background_tasks_changed', tasks: [{ task_id: 'agent', description: 'an agent' }] })
  print(asks('q1'), asks('q2', { description: 'why', agent_id: 'agent' }))
  print({ type: 'control_request', request_id: 'x1', request: { subtype: 'unknown_request' } })
  const resolution = { decision: 'allow', by, answer: { behavior: 'allow' } } as const
  act({ act: 'resolved', approval: state.open[0]!.approval.approval, resolution }, 200)
  act({ act: 'limit', run: 'r_1', reached: { limit: 'timeoutMs', value: 60_000 } }, 300)
  act({ act: 'cancel', run: 'r_1', by, mode: 'interrupt', reason: 'enough' }, 310)
  act({ act: 'escalated', run: 'r_1', step: 'sigint' }, 320)
  return {
    title: 'a turn under way',
    session,
    rest(continued) {
      printer(continued)(
        stream({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' again' } }),
        stream({ type: 'content_block_stop', index: 0 }),
        stream({ type: 'message_stop' }),
        asks('q1'),
        { type: 'control_cancel_request', request_id: 'q2' },
        result({ user_message_uuid: 'uuid_1' }),
      )
      end(continued, 'r_2', 'r_3')
    },
  }
}

/** A turn that the agent began itself, while a prompt waits. */
function ownTurn(): Sample {
  const session = foldedSession({ claudeSessionId: conversation, costUsd: 2, counterUsd: 1, resumed: true })
  const print = printer(session)
  session.prompt('one')
  const uuid = session.state.active!.stored.promptUuid!
  print(answered('init'), init(uuid), result({ user_message_uuid: uuid }))
  print({ type: 'system', subtype: 'task_notification', task_id: 'build', status: 'completed', summary: 'built' })
  print(init())
  session.prompt('two')
  print({ type: 'assistant', uuid: 'u_3', message: { id: 'm_3', content: [{ type: 'text', text: 'on my own' }] } })
  return {
    title: 'an own turn',
    session,
    rest(continued) {
      printer(continued)(result({ origin: { kind: 'task-notification' } }), init('x'))
      end(continued, 'r_2')
    },
  }
}

/** A one-shot run whose outcome waits for the end of its process. */
function heldOutcome(): Sample {
  const session = foldedSession()
  const { launch } = session.state.process!
  const budget = { maxBudgetUsd: 1 }
  session.act({
    act: 'process_begun',
    process: 'p_1',
    nonce: 'nonce',
    run: 'r_1',
    limits: budget,
    launch,
    oneShot: true,
  })
  const print = printer(session)
  session.prompt('one')
  const uuid = session.state.active!.stored.promptUuid!
  print({ type: 'command_lifecycle', command_uuid: uuid, state: 'queued' })
  print(init(uuid), asks('q1'))
  const resolution = { decision: 'deny', answer: { behavior: 'deny', message: 'no' } } as const
  session.act({ act: 'resolved', approval: session.state.open[0]!.approval.approval, resolution }, 50)
  print(result({ user_message_uuid: uuid }))
  return { title: 'a held outcome', session, rest: continued => end(continued) }
}

/** Ends the process, then each queued run. */
function end({ act }: FoldedSession, ...queued: string[]) {
  act({ act: 'process_ended', status: 1, stderrTail: 'bye', forced: false, exitKnown: true }, 9_000)
  for (const run of queued) act({ act: 'ended', run, cause: 'lost', reason: 'over' }, 9_001)
}

/**
 * Describes a value by its field names and types, in sorted lines. All elements of a list share one path. A part that
 * occurred before is described by its first path.
 */
export function shapeOf(value: unknown): string[] {
  const lines = new Set<string>()
  const seen = new Map<object, string>()
  const visit = (each: unknown, path: string) => {
    const before = typeof each === 'object' && each !== null ? seen.get(each) : undefined
    lines.add(`${path}: ${before ?? typeName(each)}`)
    if (before !== undefined || typeof each !== 'object' || each === null) return
    seen.set(each, path)
    if (Array.isArray(each) || each instanceof Set) for (const element of each) visit(element, `${path}[]`)
    else if (each instanceof Map) for (const element of each.values()) visit(element, `${path}{}`)
    else for (const [name, part] of Object.entries(each)) visit(part, `${path}.${name}`)
  }
  visit(value, 'state')
  return [...lines].toSorted()
}

const typeName = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? value.constructor.name : typeof value

/** Returns a state as JSON, including its maps and sets. A part that occurred before becomes `{ same: first path }`. */
export function readable(state: SessionState): unknown {
  const seen = new Map<object, string>()
  const visit = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const before = seen.get(value)
    if (before !== undefined) return { same: before }
    seen.set(value, path)
    if (value instanceof Map) return { map: [...value].map(([name, each]) => [name, visit(each, `${path}{${name}}`)]) }
    if (value instanceof Set) return { set: [...value].map((each, at) => visit(each, `${path}[${at}]`)) }
    if (Array.isArray(value)) return value.map((each, at) => visit(each, `${path}[${at}]`))
    const parts = Object.entries(value).filter(([, part]) => part !== undefined)
    return Object.fromEntries(parts.map(([name, part]) => [name, visit(part, `${path}.${name}`)]))
  }
  return visit(state, 'state')
}
