import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody, TranscriptEntry } from '../../../../protocol/index.ts'

/** Takes the events of a frame, in order. */
export type Emit = (event: EventBody) => void

/**
 * `result`: the result of a tool that the API ran itself. `redacted`: thinking that the API encrypted. `other`: a type
 * without an event.
 */
export type BlockKind = 'text' | 'thinking' | 'redacted' | 'tool' | 'result' | 'other'

/** One content block of a message. */
export interface Block {
  kind: BlockKind
  /** Undefined if Claude Code gave none. */
  index: number | undefined
  /** Text or thinking, or the JSON text of a tool's input. Grows by `+=`, which V8 keeps as a rope until it is read. */
  text: string
  /** The number of characters received. `text` has fewer if it would be too long or was left out. */
  length: number
  /** The number of citations that have an event. */
  citations: number
  tool?: { id: string; name: string; input: unknown; emitted: boolean }
  /** The complete `assistant` frame has come. The block stays even if the rest of the message is withdrawn. */
  complete: boolean
  item: TranscriptItem | undefined
}

/** One answer of the model, as far as it was received. */
export interface Message {
  id: string | undefined
  blocks: Block[]
  /** The block that was updated last. Events without an index mean this block. */
  current: Block | undefined
  /** Stream events announced the message. It is complete only after `message_stop`. */
  streamed: boolean
  /** Finished or withdrawn. No further event is due. */
  closed: boolean
  stopReason: string | null
  /** The token counts of the API, merged as they come. */
  usage: Record<string, unknown> | undefined
}

/** The activity of one agent: the main agent, or the sub-agent that the tool call `parent` started. */
export interface Lane {
  parent: string | undefined
  message: Message | undefined
  /** The names of the called tools, by tool use id. */
  tools: Map<string, string>
}

/** An entry of the transcript. `content` is undefined while only stream events of it have come. */
export interface TranscriptItem {
  role: TranscriptEntry['role']
  content: unknown
  timestampMs: number
  block?: Block
  /** Withdrawn, or contained in another item. */
  withdrawn: boolean
  /** The approximate number of characters that it holds. */
  length: number
  /** Left out, because the transcript is too long. */
  isLeftOut: boolean
}

/** The content that a frame with a uuid added, so that a later frame can withdraw it. */
interface FramePlace {
  lane: Lane
  /** The message of an `assistant` frame. A `user` frame has only items. */
  message?: Message
  blocks: readonly Block[]
  items: readonly TranscriptItem[]
}

/** The state of a turn. Only the lanes of running background tasks outlive the turn. */
export interface TurnState {
  main: Lane
  lanes: Map<string, Lane>
  /** The messages of the main lane, for the response. */
  messages: Message[]
  transcript: TranscriptItem[]
  /** The index of the oldest item that is not left out. */
  oldest: number
  /** The number of characters in the items. `laneLength` counts the characters in the streamed blocks of sub-agents. */
  heldLength: number
  laneLength: number
  leftOut: { entries: number; characters: number }
  frames: Map<string, FramePlace>
}

export function createTurnState(): TurnState {
  return { main: createLane(undefined), lanes: new Map(), ...nothingSaid() }
}

const nothingSaid = (): Omit<TurnState, 'main' | 'lanes'> => ({
  messages: [],
  transcript: [],
  oldest: 0,
  heldLength: 0,
  laneLength: 0,
  leftOut: { entries: 0, characters: 0 },
  frames: new Map(),
})

/** Forgets the turn. `keep` returns whether a task of this tool use id still runs. */
export function clearTurn(turn: TurnState, keep: (parent: string) => boolean): void {
  turn.main = createLane(undefined)
  for (const parent of turn.lanes.keys()) if (!keep(parent)) turn.lanes.delete(parent)
  Object.assign(turn, nothingSaid())
}

export function laneOf(turn: TurnState, parent: string | undefined): Lane {
  if (parent === undefined) return turn.main
  let lane = turn.lanes.get(parent)
  if (!lane) {
    lane = createLane(parent)
    turn.lanes.set(parent, lane)
    keepNewest(turn.lanes)
  }
  return lane
}

/** Returns the `parent` of the lane in which a tool was called; undefined for the main lane. */
export function callerOf(turn: TurnState, toolUseId: string): string | undefined {
  return [...turn.lanes.values()].find(lane => lane.tools.has(toolUseId))?.parent
}

function createLane(parent: string | undefined): Lane {
  return { parent, message: undefined, tools: new Map() }
}

/** The response is in one of the last messages. The newer ones may still be withdrawn. */
const maxMessages = 100

export function openMessage(turn: TurnState, lane: Lane, id: string | undefined, streamed: boolean): Message {
  const message: Message = {
    id,
    blocks: [],
    current: undefined,
    streamed,
    closed: false,
    stopReason: null,
    usage: undefined,
  }
  lane.message = message
  if (lane === turn.main) {
    turn.messages.push(message)
    if (turn.messages.length > maxMessages) turn.messages.shift()
  }
  return message
}

/** Sets the `parent` field of a lane's event. Events of the main lane have none. */
export function inLane<Body extends EventBody>(lane: Lane, event: Body): Body {
  if (lane.parent !== undefined) event.parent = lane.parent
  return event
}
