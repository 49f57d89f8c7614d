import type { EventOf } from '../../../sdk/browser.ts'
import { createBlocks } from './blocks.ts'
import type { TextItem, ThinkingItem } from './items.ts'
import { type Handlers, type Lane, type Message, nextIndex, type TranscriptBuilder } from './transcript-builder.ts'
import * as say from './labels.ts'

type Delta = EventOf<'assistant_text'> | EventOf<'thinking'>

/**
 * Handles Claude's text and thinking, which arrive in deltas and are withdrawn when Claude Code repeats the attempt.
 */
export function createMessages(builder: TranscriptBuilder) {
  const { facts, touch } = builder
  const messages = new Map<string, Message>()
  const texts = new Map<string, TextItem | ThinkingItem>()

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

  function write(event: Delta): void {
    const lane = builder.laneOf(event)
    const kind = event.type === 'assistant_text' ? 'text' : 'thinking'
    const { messageId = lane.message.id, index } = event
    if (messageId !== lane.message.id) begin(lane, messageId)
    const name = messageId === undefined || index === undefined ? undefined : `${kind}:${messageId}:${index}`
    const last = lane.items.at(-1)
    const known = name !== undefined ? texts.get(name) : last?.kind === kind && !last.finished ? last : undefined
    const item = known ?? startText(event, lane.message, kind, name)
    if (item.kind === 'text') item.blocks.push(event.delta, event.seq)
    else item.text += event.delta
    touch(item)
  }

  function startText(
    event: Delta,
    { blocks }: Message,
    kind: 'text' | 'thinking',
    name: string | undefined,
  ): TextItem | ThinkingItem {
    const place = { ...builder.common(event, name ?? `${kind}:${event.seq}`), finished: false }
    const item = builder.append(
      event,
      kind === 'text'
        ? ({ ...place, kind, blocks: createBlocks() } satisfies TextItem)
        : ({ ...place, kind, text: '' } satisfies ThinkingItem),
    )
    blocks.push({ item, index: event.index ?? nextIndex(blocks), ...(name !== undefined && { name }) })
    if (name !== undefined) texts.set(name, item)
    return item
  }

  function withdraw(message: Message, from: number): void {
    const gone = message.blocks.filter(({ index }) => index >= from)
    message.blocks = message.blocks.filter(({ index }) => index < from)
    for (const { item, name } of gone) {
      builder.changedAt(item)
      // It is among the newest items, so search from the end.
      const at = message.lane.lastIndexOf(item)
      if (at >= 0) message.lane.splice(at, 1)
      if (name !== undefined) texts.delete(name)
      if (item.kind !== 'tool') continue
      builder.tools.delete(item.toolUseId)
      builder.openTools.delete(item)
      builder.lanes.delete(item.toolUseId)
    }
  }

  const handlers = {
    message_started(event) {
      begin(builder.laneOf(event), event.messageId)
      if (event.parent === undefined) facts.model = event.model ?? facts.model
    },
    message_finished(event) {
      const lane = builder.laneOf(event)
      finish(lane)
      const { usage, stopReason } = event
      if (event.parent === undefined && usage)
        facts.contextTokens = usage.input + usage.cacheRead + usage.cacheCreation + usage.output
      if (stopReason === 'max_tokens' || stopReason === 'refusal')
        builder.line(event, say.stopped(stopReason), { tone: 'warning' })
      const last = lane.message.blocks.findLast(({ item }) => item.kind === 'text')?.item
      if (event.parent === undefined && last?.kind === 'text')
        builder.announcement = last.blocks.all.map(({ source }) => source).join('')
    },
    message_discarded(event) {
      const message = messages.get(event.messageId)
      if (message) withdraw(message, event.fromIndex ?? 0)
    },
    assistant_text: write,
    thinking: write,
  } satisfies Partial<Handlers>

  return {
    handlers,
    /** Finishes the texts of all lanes. */
    finishAll() {
      for (const lane of builder.lanes.values()) finish(lane)
    },
  }
}
