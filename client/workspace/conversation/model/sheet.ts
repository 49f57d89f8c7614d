import type { Event, EventOf, EventType } from '../../../sdk/browser.ts'
import type { Facts, Item, LineItem, Tone, ToolItem } from './items.ts'

/** Where in the log an item begins. */
export type Place = Pick<Event, 'seq' | 'time' | 'run' | 'parent'>

/** The main conversation, or that of a sub-agent. */
export interface Lane {
  items: Item[]
  /** The one that is being written. */
  message: Message
}

/** Its blocks in order: what may be withdrawn. */
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

/** What events are written to: items in lanes, and what holds for the whole. */
export interface Sheet {
  readonly items: readonly Item[]
  readonly facts: Facts
  announcement: string
  readonly lanes: Map<string | undefined, Lane>
  readonly tools: Map<string, ToolItem>
  /** Those that have not given a result. */
  readonly openTools: Set<ToolItem>
  /** What every item has. */
  common(place: Place, key: string): Pick<Item, 'key' | 'seq' | 'time' | 'run' | 'lane' | 'version'>
  append<T extends Item>(place: Place, item: T): T
  touch(item: Item): void
  /** It has come or gone, or is another. */
  changedAt(item: Item): void
  /** The place in `items` from which on anything is different since this was last called; none: `items.length`. */
  takeChanged(): number
  laneOf(place: Place): Lane
  /** The tool with this id; one that was not seen to begin begins here. */
  toolOf(toolUseId: string, place: Place, tool: string): ToolItem
  line(place: Place, text: string, options?: LineOptions): LineItem
  /** Says something anew that was the last thing said in its lane; else on a line of its own. */
  sayAnew(place: Place, text: string, options: LineOptions & { about: string }): void
  /** After a gap a place may be that of an earlier log again. */
  beginEra(): void
}

/** What becomes of each event on a sheet. */
export type Handlers = { [Type in EventType]: (event: EventOf<Type>) => void }

export function createSheet(): Sheet {
  let era = 0
  let changed = 0
  const main = createLane([])

  const sheet: Sheet = {
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
      sheet.laneOf(place).items.push(item)
      sheet.changedAt(item)
      const owner = item.lane === undefined ? undefined : sheet.tools.get(item.lane)
      if (owner) sheet.touch(owner)
      return item
    },

    touch(item) {
      item.version++
      sheet.changedAt(item)
    },

    /** What happens in a sub-agent's lane happens to the call that began it. */
    changedAt(item) {
      let owner: Item | undefined = item
      // Calls that name each other as the one they belong to are in no lane that is shown.
      for (let depth = 0; owner?.lane !== undefined && depth < deepest; depth++) owner = sheet.tools.get(owner.lane)
      // Among the newest, mostly.
      changed = Math.min(changed, Math.max(0, owner ? main.items.lastIndexOf(owner) : 0))
    },

    takeChanged() {
      const from = Math.min(changed, main.items.length)
      changed = Infinity
      return from
    },

    laneOf(place) {
      const { parent } = place
      const known = sheet.lanes.get(parent)
      if (known || parent === undefined) return known ?? main
      const { seq, time, run } = place
      // Its call came before what is read here.
      const lane = createLane(sheet.toolOf(parent, { seq, time, run }, 'Agent').children)
      sheet.lanes.set(parent, lane)
      return lane
    },

    toolOf(toolUseId, place, tool) {
      const known = sheet.tools.get(toolUseId)
      if (known) return known
      const item: ToolItem = {
        ...sheet.common(place, `tool:${toolUseId}`),
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
      sheet.tools.set(toolUseId, item)
      sheet.openTools.add(item)
      sheet.append(place, item)
      const { blocks } = sheet.laneOf(place).message
      blocks.push({ item, index: nextIndex(blocks) })
      return item
    },

    line(place, text, { tone = 'quiet', about = '', detail = '' } = {}) {
      const common = sheet.common(place, `line:${place.seq}`)
      return sheet.append(place, { ...common, kind: 'line', about, tone, text, detail: detail || undefined })
    },

    sayAnew(place, text, options) {
      const last = sheet.laneOf(place).items.at(-1)
      if (last?.kind === 'line' && last.about === options.about && last.run === place.run) {
        last.text = text
        sheet.touch(last)
      } else sheet.line(place, text, options)
    },

    beginEra: () => void era++,
  }
  return sheet
}

/** Of sub-agents within each other. */
const deepest = 100

const createLane = (items: Item[]): Lane => ({ items, message: { id: undefined, lane: items, blocks: [] } })

export const nextIndex = (blocks: Message['blocks']): number => (blocks.at(-1)?.index ?? -1) + 1
