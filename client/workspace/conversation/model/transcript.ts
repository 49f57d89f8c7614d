import type { Event, EventOf, EventType, Gap, Origin, TerminalEvent } from '../../../browser.ts'
import { createBlocks } from './blocks.ts'
import type { Facts, Item, LineItem, TextItem, ThinkingItem, Tone, ToolItem } from './items.ts'
import * as say from './wording.ts'

/**
 * A session's events as items to show: the same events give the same items, however they come. It can begin anywhere in
 * a log; what it then hears of that it has not seen begin is shown from there on. Constant time an event.
 */
export interface Transcript {
  readonly items: readonly Item[]
  readonly facts: Readonly<Facts>
  /** The place in `items` from which on anything is different since this was last called; none: `items.length`. */
  takeChanged(): number
  /** The newest of what a reader has to be told of: text that is whole, a question, an end. */
  readonly announcement: string
  add(event: Event | Gap): void
}

/** The main conversation, or that of a sub-agent. */
interface Lane {
  items: Item[]
  /** The one that is being written. */
  message: Message
}

interface LineOptions {
  tone?: Tone
  about?: string
  detail?: string
}

/** Its blocks in order: what may be withdrawn. */
interface Message {
  id: string | undefined
  lane: Item[]
  blocks: { item: Item; index: number; name?: string }[]
}

export function createTranscript(): Transcript {
  const main = createLane([])
  const lanes = new Map<string | undefined, Lane>([[undefined, main]])
  const messages = new Map<string, Message>()
  const texts = new Map<string, TextItem | ThinkingItem>()
  const tools = new Map<string, ToolItem>()
  const openTools = new Set<ToolItem>()
  const approvals = new Map<string, ToolItem>()
  const taskLines = new Map<string, LineItem>()
  const queued = new Map<string, { prompt: string; origin: Origin }>()
  const runs = new Map<string, { startedAt: number; costUsd?: number; tokens?: EventOf<'cost'>['tokens'] }>()
  const facts: Facts = {
    model: undefined,
    permissionMode: undefined,
    apiKeySource: undefined,
    costUsd: undefined,
    contextTokens: undefined,
    contextWindow: undefined,
    status: null,
    run: undefined,
  }
  let changed = 0
  let announcement = ''
  // After a gap a place may be that of an earlier log again.
  let era = 0

  function touch(item: Item): void {
    item.version++
    changedAt(item)
  }

  /** What happens in a sub-agent's lane happens to the call that began it. */
  function changedAt(item: Item): void {
    const owner = item.lane === undefined ? undefined : tools.get(item.lane)
    if (owner) changedAt(owner)
    // Among the newest, mostly.
    else changed = Math.min(changed, Math.max(0, main.items.lastIndexOf(item)))
  }

  function laneOf(parent: string | undefined, event: Event): Lane {
    const known = lanes.get(parent)
    if (known) return known
    // Its call came before what is read here.
    const tool = toolOf(parent!, { ...event, parent: undefined } as unknown as Event, 'Agent')
    const lane = createLane(tool.children)
    lanes.set(parent, lane)
    return lane
  }

  const common = (event: Event | Gap, key: string) => {
    const { seq, time, run, parent } = 'seq' in event ? event : { seq: event.to, time: 0, run: null, parent: undefined }
    return { key: `${era}/${key}`, seq, time, run, lane: parent, version: 0 }
  }

  function append<T extends Item>(event: Event | Gap, item: T): T {
    const lane = 'seq' in event ? laneOf(event.parent, event) : main
    lane.items.push(item)
    changedAt(item)
    if (item.lane !== undefined) {
      const owner = tools.get(item.lane)
      if (owner) touch(owner)
    }
    return item
  }

  function line(
    event: Event | Gap,
    text: string,
    { tone = 'quiet', about = '', detail = '' }: LineOptions = {},
  ): LineItem {
    const place = common(event, `line:${'seq' in event ? event.seq : `gap:${event.to}`}`)
    return append(event, { ...place, kind: 'line', about, tone, text, detail: detail || undefined })
  }

  /** Says something anew that was the last thing said in its lane; else on a line of its own. */
  function sayAnew(event: Event, text: string, options: { tone?: Tone; about: string }): void {
    const last = laneOf(event.parent, event).items.at(-1)
    if (last?.kind === 'line' && last.about === options.about && last.run === event.run) {
      last.text = text
      touch(last)
    } else line(event, text, options)
  }

  /** The tool with this id; one that was not seen to begin begins here. */
  function toolOf(toolUseId: string, event: Event, tool: string): ToolItem {
    const known = tools.get(toolUseId)
    if (known) return known
    const item: ToolItem = {
      ...common(event, `tool:${toolUseId}`),
      kind: 'tool',
      toolUseId,
      tool,
      state: 'writing',
      input: undefined,
      output: undefined,
      details: undefined,
      inputCut: undefined,
      outputCut: undefined,
      endedAt: undefined,
      denial: undefined,
      approval: undefined,
      task: undefined,
      children: [],
    }
    tools.set(toolUseId, item)
    openTools.add(item)
    append(event, item)
    const { blocks } = laneOf(event.parent, event).message
    blocks.push({ item, index: nextIndex(blocks) })
    return item
  }

  function write(event: EventOf<'assistant_text'> | EventOf<'thinking'>): void {
    const lane = laneOf(event.parent, event)
    const kind = event.type === 'assistant_text' ? 'text' : 'thinking'
    const { messageId = lane.message.id, index } = event
    if (messageId !== lane.message.id) begin(lane, messageId)
    const name = messageId === undefined || index === undefined ? undefined : `${kind}:${messageId}:${index}`
    const last = lane.items.at(-1)
    const known = name !== undefined ? texts.get(name) : last?.kind === kind && !last.finished ? last : undefined
    const item = known ?? startText(event, lane, kind, name)
    if (item.kind === 'text') item.blocks.push(event.delta, event.seq)
    else item.text += event.delta
    touch(item)
  }

  function startText(
    event: EventOf<'assistant_text'> | EventOf<'thinking'>,
    { message }: Lane,
    kind: 'text' | 'thinking',
    name: string | undefined,
  ): TextItem | ThinkingItem {
    const place = { ...common(event, name ?? `${kind}:${event.seq}`), finished: false }
    const item = append(
      event,
      kind === 'text'
        ? ({ ...place, kind, blocks: createBlocks() } satisfies TextItem)
        : ({ ...place, kind, text: '' } satisfies ThinkingItem),
    )
    message.blocks.push({ item, index: event.index ?? nextIndex(message.blocks), ...(name !== undefined && { name }) })
    if (name !== undefined) texts.set(name, item)
    return item
  }

  function begin(lane: Lane, id: string | undefined): void {
    finish(lane)
    const known = id === undefined ? undefined : messages.get(id)
    lane.message = known ?? { id, lane: lane.items, blocks: [] }
    if (id !== undefined) messages.set(id, lane.message)
  }

  function finish({ message }: Lane): void {
    for (const { item } of message.blocks) {
      if ((item.kind !== 'text' && item.kind !== 'thinking') || item.finished) continue
      item.finished = true
      touch(item)
    }
  }

  function withdraw(message: Message, from: number): void {
    const gone = message.blocks.filter(({ index }) => index >= from)
    message.blocks = message.blocks.filter(({ index }) => index < from)
    for (const { item, name } of gone) {
      // Among the newest.
      changedAt(item)
      const at = message.lane.lastIndexOf(item)
      if (at >= 0) message.lane.splice(at, 1)
      if (name !== undefined) texts.delete(name)
      if (item.kind !== 'tool') continue
      tools.delete(item.toolUseId)
      openTools.delete(item)
      lanes.delete(item.toolUseId)
      if (item.approval) approvals.delete(item.approval.approval)
    }
  }

  function ended(event: TerminalEvent): void {
    for (const lane of lanes.values()) finish(lane)
    for (const tool of openTools) {
      if (tool.run !== event.run) continue
      openTools.delete(tool)
      if (tool.task && !tool.task.ended) continue
      tool.state = 'stopped'
      tool.endedAt = event.time
      touch(tool)
    }
    const run = event.run ?? ''
    const waiting = queued.get(run)
    // It never left the queue.
    if (waiting)
      append(event, { ...common(event, `prompt:${run}`), kind: 'prompt', text: waiting.prompt, origin: waiting.origin })
    const { startedAt, costUsd, tokens } = runs.get(run) ?? {}
    const last = main.items.at(-1)
    const isExplained =
      event.type === 'failed' &&
      last?.kind === 'text' &&
      last.blocks.all.some(({ source }) => source.includes(event.failure.detail))
    append(event, { ...common(event, `end:${run}`), kind: 'end', event, isExplained, startedAt, costUsd, tokens })
    announcement = say.ended(event)
    queued.delete(run)
    runs.delete(run)
    if (facts.run?.run === run) facts.run = undefined
    facts.status = null
  }

  const on: { [Type in EventType]?: (event: EventOf<Type>) => void } = {
    run_queued(event) {
      queued.set(event.run ?? '', event)
    },
    run_started(event) {
      const run = event.run ?? ''
      queued.delete(run)
      runs.set(run, { startedAt: event.time })
      facts.run = { run, startedAt: event.time, cancelledBy: undefined }
      append(event, { ...common(event, `prompt:${run}`), kind: 'prompt', text: event.prompt, origin: event.origin })
    },
    session_init(event) {
      facts.model = event.model ?? facts.model
      facts.permissionMode = event.permissionMode ?? facts.permissionMode
      facts.apiKeySource = event.apiKeySource ?? facts.apiKeySource
    },
    message_started(event) {
      begin(laneOf(event.parent, event), event.messageId)
      if (event.parent === undefined) facts.model = event.model ?? facts.model
    },
    message_finished(event) {
      const lane = laneOf(event.parent, event)
      finish(lane)
      const { usage, stopReason } = event
      if (event.parent === undefined && usage) {
        facts.contextTokens = usage.input + usage.cacheRead + usage.cacheCreation + usage.output
      }
      if (stopReason === 'max_tokens' || stopReason === 'refusal')
        line(event, say.stopped(stopReason), { tone: 'warning' })
      const last = lane.message.blocks.findLast(({ item }) => item.kind === 'text')?.item
      if (event.parent === undefined && last?.kind === 'text')
        announcement = last.blocks.all.map(({ source }) => source).join('')
    },
    message_discarded(event) {
      const message = messages.get(event.messageId)
      if (message) withdraw(message, event.fromIndex ?? 0)
    },
    assistant_text: write,
    thinking: write,
    tool_started(event) {
      touch(toolOf(event.toolUseId, event, event.tool))
    },
    tool_use(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      tool.tool = event.tool
      tool.input = event.input
      tool.inputCut = cutOf(event)
      if (tool.state === 'writing') tool.state = 'running'
      touch(tool)
    },
    tool_progress(event) {
      touch(toolOf(event.toolUseId, event, 'tool'))
    },
    tool_result(event) {
      const tool = toolOf(event.toolUseId, event, event.tool ?? 'tool')
      tool.output = event.output
      tool.details = event.details
      tool.outputCut = cutOf(event)
      tool.endedAt = event.time
      if (tool.state !== 'denied') tool.state = event.isError ? 'failed' : 'done'
      openTools.delete(tool)
      touch(tool)
    },
    permission_denied(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      tool.state = 'denied'
      tool.denial = event.message
      touch(tool)
    },
    approval_requested(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      const { approval, kind, input, suggestions, expiresAt } = event
      const { description } = event as { description?: string }
      tool.approval = {
        approval,
        kind,
        tool: event.tool,
        input,
        description,
        suggestions,
        expiresAt,
        resolved: undefined,
      }
      tool.input ??= input
      tool.state = 'waiting'
      approvals.set(approval, tool)
      announcement = say.asked(event)
      touch(tool)
    },
    approval_resolved(event) {
      const tool = approvals.get(event.approval)
      if (!tool?.approval) return
      approvals.delete(event.approval)
      const { decision, by, message } = event
      tool.approval = { ...tool.approval, resolved: { decision, by, message } }
      const { input } = event as { input?: unknown }
      if (input !== undefined) tool.input = input
      if (tool.state === 'waiting') tool.state = decision === 'allow' ? 'running' : 'denied'
      touch(tool)
    },
    task(event) {
      const { phase, taskId, toolUseId, description, status, summary } = event
      const tool = toolUseId === undefined ? undefined : tools.get(toolUseId)
      if (tool) {
        const { task } = tool
        tool.task = {
          description: description ?? task?.description,
          status: status ?? task?.status,
          summary: summary ?? task?.summary,
          ended: phase === 'ended' || task?.ended === true,
        }
        touch(tool)
        return
      }
      const known = taskLines.get(taskId)
      const text = say.task(event, known?.detail)
      if (known) {
        known.text = text
        known.detail = description ?? known.detail
        touch(known)
      } else taskLines.set(taskId, line(event, text, { about: 'task', detail: description ?? '' }))
    },
    user_message(event) {
      if (event.replay || event.synthetic) return
      if (event.parent === undefined) line(event, event.text)
      else append(event, { ...common(event, `user:${event.seq}`), kind: 'prompt', text: event.text, origin: undefined })
    },
    cost(event) {
      facts.costUsd = event.costUsd
      const used = (event.models ?? {}) as Record<string, { contextWindow?: unknown }>
      const model = used[facts.model ?? ''] ?? Object.values(used)[0]
      if (typeof model?.contextWindow === 'number' && model.contextWindow > 0) facts.contextWindow = model.contextWindow
      const run = runs.get(event.run ?? '')
      if (run) Object.assign(run, { costUsd: event.runCostUsd, tokens: event.tokens })
    },
    done: ended,
    failed: ended,
    cancelled: ended,
    interrupted: ended,
    cancel_requested(event) {
      if (facts.run && facts.run.run === event.run) facts.run = { ...facts.run, cancelledBy: event.by }
      line(event, say.cancelRequested(event), { tone: 'warning' })
    },
    status(event) {
      facts.status = event.status
      const { permissionMode } = event
      if (permissionMode === undefined || permissionMode === facts.permissionMode) return
      facts.permissionMode = permissionMode
      line(event, say.modeChanged(permissionMode))
    },
    compaction(event) {
      facts.contextTokens = event.postTokens
      line(event, say.compacted(event))
    },
    rate_limit(event) {
      if (event.status !== 'allowed') sayAnew(event, say.rateLimit(event), { tone: 'warning', about: 'rate_limit' })
    },
    api_retry(event) {
      sayAnew(event, say.retry(event), { tone: 'warning', about: 'api_retry' })
    },
    claude_session_changed(event) {
      line(event, say.conversationChanged(event))
    },
    hook(event) {
      const failed = event.outcome !== undefined && event.outcome !== 'success'
      if (event.phase !== 'ended' || (!failed && !event.output?.trim())) return
      line(event, say.hook(event), { tone: failed ? 'warning' : 'quiet', detail: event.output ?? '' })
    },
    notice(event) {
      // What Claude Code says of its own working all the time is in the session's frames for who looks for it.
      if (say.isWorking(event.kind)) return
      line(event, say.notice(event.kind), { detail: JSON.stringify(event.frame, null, 2) })
    },
    unparsed(event) {
      line(event, say.unparsed(event), { tone: 'warning', detail: event.head })
    },
    log_damaged(event) {
      line(event, say.damaged(event), { tone: 'error' })
    },
  }

  return {
    items: main.items,
    facts,
    takeChanged() {
      const from = Math.min(changed, main.items.length)
      changed = Infinity
      return from
    },
    get announcement() {
      return announcement
    },
    add(event) {
      if (event.type === 'gap') {
        era++
        line(event, say.gap(event), { tone: 'error' })
      } else (on[event.type] as ((event: Event) => void) | undefined)?.(event)
    },
  }
}

const createLane = (items: Item[]): Lane => ({ items, message: { id: undefined, lane: items, blocks: [] } })
const nextIndex = (blocks: Message['blocks']) => (blocks.at(-1)?.index ?? -1) + 1
const cutOf = ({ seq, cut }: Event) => cut && { seq, bytes: cut.bytes }
