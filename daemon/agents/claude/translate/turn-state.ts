import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody, TranscriptEntry } from '../../../../protocol/index.ts'

/** Takes the events a frame gives, in order. */
export type Emit = (event: EventBody) => void

/**
 * `result`: the outcome of a tool that the API ran itself. `redacted`: thinking that the API encrypted. `other`: a type
 * that has no event.
 */
export type BlockKind = 'text' | 'thinking' | 'redacted' | 'tool' | 'result' | 'other'

/** One content block of a message. */
export interface Block {
  kind: BlockKind
  /** Undefined when Claude Code gave none. */
  index: number | undefined
  /** Text or thinking, or a tool's input as JSON text. Grows by `+=`, which V8 keeps as a rope until it is read. */
  text: string
  /** How many characters of it have come. `text` has fewer where it would be too long, or was left out. */
  length: number
  /** Number of citations that have an event. */
  citations: number
  tool?: { id: string; name: string; input: unknown; emitted: boolean }
  /** Its complete `assistant` frame has come: what it says stands, also when the rest of the message is withdrawn. */
  complete: boolean
  item: TranscriptItem | undefined
}

/** One answer of the model, as far as it has come. */
export interface Message {
  id: string | undefined
  blocks: Block[]
  /** The block that was touched last: events without an index mean this one. */
  current: Block | undefined
  /** Stream events announced it: it is whole only once `message_stop` has come. */
  streamed: boolean
  /** Finished or withdrawn: nothing of it is due any more. */
  closed: boolean
  stopReason: string | null
  /** The API's counts, merged as they come. */
  usage: Record<string, unknown> | undefined
}

/** What one agent does: the main lane, or that of the sub-agent which the tool call `parent` started. */
export interface Lane {
  parent: string | undefined
  message: Message | undefined
  /** Names of the tools called, by tool use id. */
  tools: Map<string, string>
}

/** A turn of the transcript; `content` is undefined while only stream events of it have come. */
export interface TranscriptItem {
  role: TranscriptEntry['role']
  content: unknown
  timestampMs: number
  block?: Block
  /** Taken back, or told by another item. */
  withdrawn: boolean
  /** Characters that it holds, about. */
  length: number
  /** The transcript is too long for it. */
  isLeftOut: boolean
}

/** Where the frame with a given uuid went, so that a later frame can take it back. */
interface FramePlace {
  lane: Lane
  /** For a frame of the model's; a user frame has items of the transcript alone. */
  message?: Message
  blocks: readonly Block[]
  items: readonly TranscriptItem[]
}

/**
 * What must be remembered within a turn, and no longer. Only the lanes of background tasks that still run outlive it.
 */
export interface TurnState {
  main: Lane
  lanes: Map<string, Lane>
  /** Messages of the main lane, for the response. */
  messages: Message[]
  transcript: TranscriptItem[]
  /** Place of the oldest item that is not left out. */
  oldest: number
  /** Characters that the items hold, and the streamed blocks of sub-agents. */
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

/** Forgets the turn. `keep` says for which tool use ids a task still runs. */
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

/** The lane in which a tool was called, as an event's `parent`: undefined for the main lane. */
export function callerOf(turn: TurnState, toolUseId: string): string | undefined {
  return [...turn.lanes.values()].find(lane => lane.tools.has(toolUseId))?.parent
}

function createLane(parent: string | undefined): Lane {
  return { parent, message: undefined, tools: new Map() }
}

/** The response is in one of the last, of which the newer ones may yet be withdrawn. */
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

/** The `parent` field of the lane's events: absent in the main lane. */
export function inLane<Body extends EventBody>(lane: Lane, event: Body): Body {
  if (lane.parent !== undefined) event.parent = lane.parent
  return event
}
