import type { Event, EventOf, EventType } from '../../../sdk/browser.ts'
import type { Facts, Item, LineItem, Tone, ToolItem } from './items.ts'

/** The position in the log where an item begins. */
export type Place = Pick<Event, 'seq' | 'time' | 'run' | 'parent'>

/** The main conversation, or the conversation of a sub-agent. */
export interface Lane {
  items: Item[]
  /** The message that is being written. */
  message: Message
}

/** A message with its content blocks in order. Blocks may be withdrawn. */
export interface Message {
  id: string | undefined
  lane: Item[]
  blocks: { item: Item; index: number; name?: string }[]
}

interface LineOptions {
  tone?: Tone
  about?: string
  detail?: string
}

/** Collects the items of a transcript in lanes. The handlers of events write to it. */
export interface TranscriptBuilder {
  readonly items: readonly Item[]
  readonly facts: Facts
  announcement: string
  readonly lanes: Map<string | undefined, Lane>
  readonly tools: Map<string, ToolItem>
  /** Tools without a result. */
  readonly openTools: Set<ToolItem>
  /** The fields that all items share. */
  common(place: Place, key: string): Pick<Item, 'key' | 'seq' | 'time' | 'run' | 'lane' | 'version'>
  append<T extends Item>(place: Place, item: T): T
  touch(item: Item): void
  /** Marks an item as added, removed or changed. */
  changedAt(item: Item): void
  /** The index of the first item that differs since the last call; `items.length` if none does. */
  takeChanged(): number
  laneOf(place: Place): Lane
  /** The tool with this id. Creates it if its start is not in the transcript. */
  toolOf(toolUseId: string, place: Place, tool: string): ToolItem
  line(place: Place, text: string, options?: LineOptions): LineItem
  /** Replaces the last line of the lane if it has the same `about`; otherwise adds a line. */
  replaceLine(place: Place, text: string, options: LineOptions & { about: string }): void
  /** To call after a gap, because a position may repeat one of an earlier log. */
  beginEra(): void
}

/** One handler per event type. */
export type Handlers = { [Type in EventType]: (event: EventOf<Type>) => void }

export function createTranscriptBuilder(): TranscriptBuilder {
  let era = 0
  let changed = 0
  const main = createLane([])

  const builder: TranscriptBuilder = {
    items: main.items,
    facts: {
      model: undefined,
      permissionMode: undefined,
      apiKeySource: undefined,
      costUsd: undefined,
      contextTokens: undefined,
      contextWindow: undefined,
      status: null,
      run: undefined,
      heardAt: undefined,
    },
    announcement: '',
    lanes: new Map([[undefined, main]]),
    tools: new Map(),
    openTools: new Set(),

    common: ({ seq, time, run, parent }, key) => ({ key: `${era}/${key}`, seq, time, run, lane: parent, version: 0 }),

    append(place, item) {
      builder.laneOf(place).items.push(item)
      builder.changedAt(item)
      const owner = item.lane === undefined ? undefined : builder.tools.get(item.lane)
      if (owner) builder.touch(owner)
      return item
    },

    touch(item) {
      item.version++
      builder.changedAt(item)
    },

    /** A change in the lane of a sub-agent is a change of the call that started it. */
    changedAt(item) {
      let owner: Item | undefined = item
      // Calls that name each other as parents are in no visible lane.
      for (let depth = 0; owner?.lane !== undefined && depth < deepest; depth++) owner = builder.tools.get(owner.lane)
      // Search from the end, because most changes concern the newest items.
      changed = Math.min(changed, Math.max(0, owner ? main.items.lastIndexOf(owner) : 0))
    },

    takeChanged() {
      const from = Math.min(changed, main.items.length)
      changed = Infinity
      return from
    },

    laneOf(place) {
      const { parent } = place
      const known = builder.lanes.get(parent)
      if (known || parent === undefined) return known ?? main
      const { seq, time, run } = place
      // The call is before the first event of the transcript.
      const lane = createLane(builder.toolOf(parent, { seq, time, run }, 'Agent').children)
      builder.lanes.set(parent, lane)
      return lane
    },

    toolOf(toolUseId, place, tool) {
      const known = builder.tools.get(toolUseId)
      if (known) return known
      const item: ToolItem = {
        ...builder.common(place, `tool:${toolUseId}`),
        kind: 'tool',
        toolUseId,
        tool,
        state: 'writing',
        input: undefined,
        output: undefined,
        answerSeq: undefined,
        details: undefined,
        inputCut: undefined,
        outputCut: undefined,
        endedAt: undefined,
        denial: undefined,
        approval: undefined,
        task: undefined,
        children: [],
      }
      builder.tools.set(toolUseId, item)
      builder.openTools.add(item)
      builder.append(place, item)
      const { blocks } = builder.laneOf(place).message
      blocks.push({ item, index: nextIndex(blocks) })
      return item
    },

    line(place, text, { tone = 'quiet', about = '', detail = '' } = {}) {
      const common = builder.common(place, `line:${place.seq}`)
      return builder.append(place, { ...common, kind: 'line', about, tone, text, detail: detail || undefined })
    },

    replaceLine(place, text, options) {
      const last = builder.laneOf(place).items.at(-1)
      if (last?.kind === 'line' && last.about === options.about && last.run === place.run) {
        last.text = text
        builder.touch(last)
      } else builder.line(place, text, options)
    },

    beginEra: () => void era++,
  }
  return builder
}

/** Maximum depth of nested sub-agents. */
const deepest = 100

const createLane = (items: Item[]): Lane => ({ items, message: { id: undefined, lane: items, blocks: [] } })

export const nextIndex = (blocks: Message['blocks']): number => (blocks.at(-1)?.index ?? -1) + 1
