import { setTimeout as sleep } from 'node:timers/promises'
import { print, stamped, type BackgroundTask, type Session } from './session.ts'
import { noTokens, type Tokens } from './usage.ts'

/** A turn while it is played. The steps of a script work on it. */
export interface Turn {
  readonly session: Session
  readonly startedAt: number
  /**
   * The uuids of the user lines that this turn answers; more join between two requests. Empty when a line had no uuid.
   */
  readonly uuids: string[]
  /** The background task whose end began this turn. */
  readonly task: BackgroundTask | undefined
  /** Aborted by an interrupt, a signal or a refusal that ends the turn. */
  readonly stop: AbortController
  /** The message that is being written. */
  message: Message | undefined
  /** Tool calls without a result. */
  readonly tools: Map<string, PendingTool>
  /** Tokens of the completed requests to the model: `usage` of the result. */
  readonly tokens: Tokens
  requests: number
  /** `status: requesting` has been printed for the request that is under way. */
  requested: boolean
  /** Frames of type `user` in the main lane: they count as turns. */
  userFrames: number
  /** The first frame of each kind carries the uuids of the user lines. */
  readonly marked: Set<string>
  readonly denials: object[]
  /** The last text written: `result` of the result frame. */
  text: string
  stopReason: string | null
  firstTokenMs: number | undefined
  /** Set by a step that ends the turn with a `result` of its own. */
  ending: object | undefined
  safetyStops: number
}

/** One message of the model while it is written. */
export interface Message {
  id: string
  requestId: string
  tokens: Tokens
  blocks: number
  /** The block that is open. */
  open: Block | undefined
  /** A second attempt after a broken stream: complete frames only, no stream events. */
  plain: boolean
}

export type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }

/** A tool call as a script describes it. Nothing is ever run: the output is what the script says. */
export interface ToolCall {
  name: string
  /** A string is streamed as it is, even if it is not JSON. */
  input: Record<string, unknown> | string
  takesMs?: number
  output?: string | ((input: Record<string, unknown>) => string)
  /** The tool's own result object (`tool_use_result`). */
  details?: (input: Record<string, unknown>, output: string) => unknown
  isError?: boolean
  /** Needs permission, unless mode, rules or an earlier answer give it. */
  asks?: boolean
  /** What the tool does, and its result, instead of a pause and `output`. */
  run?: (turn: Turn, toolUseId: string) => Promise<{ content: unknown; details: unknown }>
}

export interface PendingTool {
  call: ToolCall
  phase: 'asking' | 'running'
}

export type StopCause = 'interrupt' | 'signal' | 'refused'

export function createTurn(session: Session, uuids: readonly string[], task?: BackgroundTask): Turn {
  return {
    session,
    startedAt: Date.now(),
    uuids: [...uuids],
    task,
    stop: new AbortController(),
    message: undefined,
    tools: new Map(),
    tokens: noTokens(),
    requests: 0,
    requested: false,
    userFrames: 0,
    marked: new Set(),
    denials: [],
    text: '',
    stopReason: null,
    firstTokenMs: undefined,
    ending: undefined,
    safetyStops: 0,
  }
}

/** Prints a frame of this turn; what the model says is kept in the conversation. */
export function show({ session }: Turn, frame: object): void {
  const whole: { type?: string; message?: object; parent_tool_use_id?: string | null; uuid: string } = stamped(
    session,
    frame,
  )
  const { type, message, parent_tool_use_id: parent, uuid } = whole
  if (type === 'assistant' && message && parent === null) session.entries.push({ type, uuid, message })
  print(session, whole)
}

/** Prints a frame that exists only with `--include-partial-messages`. */
export function showPartial(turn: Turn, frame: object): void {
  if (turn.session.args.partialMessages) show(turn, frame)
}

/** Waits, scaled by the speed. Rejects at once when the turn is stopped, which is how a script ends at any step. */
export async function pause(turn: Turn, ms: number): Promise<void> {
  const { signal } = turn.stop
  signal.throwIfAborted()
  if (turn.session.output.isFull) await turn.session.output.drained()
  const scaled = ms / turn.session.speed
  if (scaled > 0) await sleep(scaled, undefined, { signal })
  signal.throwIfAborted()
}

/** Runs between frames that have no pause: lets input and signals in now and then, and waits for a slow reader. */
export async function breathe(turn: Turn, count: number): Promise<void> {
  if (turn.session.output.isFull) await turn.session.output.drained()
  if (count % 256 === 0) await new Promise(resolve => setImmediate(resolve))
  turn.stop.signal.throwIfAborted()
}

/** Never ends, unless the turn is stopped. */
export function wait(turn: Turn): Promise<never> {
  const { signal } = turn.stop
  // A pending promise alone would let the process end.
  const alive = setInterval(() => {}, 1 << 30)
  return new Promise((_, reject) => {
    const onStop = () => {
      clearInterval(alive)
      reject(signal.reason as Error)
    }
    if (signal.aborted) onStop()
    else signal.addEventListener('abort', onStop, { once: true })
  })
}

/** Returns `user_message_uuid` and its list, for the first frame of each `kind` in a turn that has uuids. */
export function firstMark(turn: Turn, kind: string, more: object = {}): object {
  if (turn.uuids.length === 0 || turn.marked.has(kind)) return {}
  turn.marked.add(kind)
  return { user_message_uuid: turn.uuids[0], user_message_uuids: [...turn.uuids], ...more }
}
