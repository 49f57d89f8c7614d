import { randomBytes } from 'node:crypto'
import { promptsIn, spend } from './session.ts'
import { type Block, breathe, firstMark, type Message, pause, show, showPartial, type Turn } from './turn.ts'
import { addTokens, estimateTokens, messageUsage } from './usage.ts'

const firstTokenMs = 150

export const newId = (prefix: string): string => `${prefix}_sim${randomBytes(9).toString('hex')}`

/** Returns the open message, or opens one after `status: requesting` and the time that a model takes to begin. */
export async function openMessage(turn: Turn, plain = false): Promise<Message> {
  if (turn.message) return turn.message
  const { session } = turn
  if (!plain) requesting(turn)
  await pause(turn, firstTokenMs)
  const created = estimateTokens(promptsIn(session.entries).at(-1) ?? '') + 12
  const tokens = { input: 10, output: 1, cacheCreation: created, cacheRead: session.contextTokens }
  const message: Message = { id: newId('msg'), requestId: newId('req'), tokens, blocks: 0, open: undefined, plain }
  turn.message = message
  turn.requests += 1
  turn.firstTokenMs ??= Date.now() - turn.startedAt
  if (plain) return message
  streamed(
    turn,
    {
      type: 'message_start',
      message: { ...envelope(turn, message), content: [], stop_reason: null, usage: messageUsage(tokens) },
    },
    { ttft_ms: turn.firstTokenMs, thinking_display: 'updates', ...firstMark(turn, 'stream', { owed_rows: [] }) },
  )
  return message
}

/** Prints `status: requesting` once for each request, however many attempts it takes. */
export function requesting(turn: Turn): void {
  if (turn.requested) return
  turn.requested = true
  showPartial(turn, {
    type: 'system',
    subtype: 'status',
    status: 'requesting',
    ...(turn.uuids.length > 0 && { user_message_uuids: [...turn.uuids] }),
  })
}

/**
 * Writes one block, piece by piece. `pace` is the pause after each piece, in ms, or a function that is awaited instead.
 */
export async function writeBlock(
  turn: Turn,
  block: Block,
  pieces: Iterable<string>,
  pace: number | (() => Promise<void>),
): Promise<void> {
  const message = await openMessage(turn)
  const index = message.blocks
  message.open = block
  const shown = block.type === 'thinking' ? { thinking_display: 'updates' } : {}
  streamed(turn, { type: 'content_block_start', index, content_block: emptied(block) }, shown)
  const beganAt = Date.now()
  let json = ''
  let count = 0
  let thought = 0
  for (const piece of pieces) {
    count += 1
    if (block.type === 'text') block.text += piece
    else if (block.type === 'thinking') {
      block.thinking += piece
      const delta = estimateTokens(piece)
      thought += delta
      const tokens = { estimated_tokens: thought, estimated_tokens_delta: delta }
      show(turn, { type: 'system', subtype: 'thinking_tokens', ...tokens })
    } else json += piece
    streamed(turn, { type: 'content_block_delta', index, delta: deltaOf(block, piece) }, shown)
    if (typeof pace === 'function') await pace()
    else if (pace > 0) await pause(turn, pace)
    else await breathe(turn, count)
  }
  if (block.type === 'tool_use') block.input = parsedInput(json)
  if (block.type === 'thinking') {
    block.signature = 'c2ltdWxhdGVk'
    const delta = { type: 'signature_delta', signature: block.signature }
    streamed(turn, { type: 'content_block_delta', index, delta })
  }
  message.tokens.output += estimateTokens(blockText(block))
  if (block.type === 'text') turn.text = block.text
  const thinking = { thinking_duration_ms: Date.now() - beganAt, thinking_display: 'updates' }
  showAssistant(turn, message, block, block.type === 'thinking' ? thinking : {})
  message.open = undefined
  message.blocks += 1
  streamed(turn, { type: 'content_block_stop', index })
}

/** Ends the open message. */
export function closeMessage(turn: Turn, stopReason: string): void {
  const { message } = turn
  if (!message) return
  const usage = messageUsage(message.tokens)
  streamed(turn, { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage })
  streamed(turn, { type: 'message_stop' })
  charge(turn, message)
  addTokens(turn.tokens, message.tokens)
  turn.stopReason = stopReason
  turn.message = undefined
  turn.requested = false
}

/** Charges for what was written, even if the message was broken off. */
export function charge(turn: Turn, message: Message): void {
  spend(turn.session, message.tokens)
  turn.session.contextTokens += message.tokens.cacheCreation + message.tokens.output
  turn.session.apiMs += Date.now() - turn.startedAt
}

/** Prints a complete block. */
export function showAssistant(turn: Turn, message: Message, block: Block, more: object = {}): void {
  show(turn, {
    type: 'assistant',
    message: {
      ...envelope(turn, message),
      content: [block],
      stop_reason: message.plain ? 'end_turn' : null,
      usage: messageUsage({ ...message.tokens, output: 1 }),
      context_management: null,
    },
    parent_tool_use_id: null,
    timestamp: new Date().toISOString(),
    request_id: message.requestId,
    ...more,
    ...firstMark(turn, 'assistant'),
  })
}

export function streamed(turn: Turn, event: object, more: object = {}): void {
  if (turn.message?.plain) return
  const { id } = turn.message!
  showPartial(turn, { type: 'stream_event', event, parent_tool_use_id: null, api_message_id: id, ...more })
}

/** Cut text, or the input of a tool, into pieces of the size in which Claude Code prints it. */
export const words = (text: string): string[] => text.match(/\s*\S+(\s+$)?/g) ?? (text === '' ? [] : [text])
export const slices = (text: string): string[] => ['', ...(text.match(/[^]{1,20}/g) ?? [])]

const envelope = (turn: Turn, { id }: Message) => ({
  id,
  type: 'message',
  role: 'assistant',
  model: turn.session.model,
  stop_sequence: null,
})

function emptied(block: Block): object {
  if (block.type === 'text') return { type: 'text', text: '' }
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'tool_use', id: block.id, name: block.name, input: {} }
}

function deltaOf(block: Block, piece: string): object {
  if (block.type === 'text') return { type: 'text_delta', text: piece }
  if (block.type === 'thinking') return { type: 'thinking_delta', thinking: piece }
  return { type: 'input_json_delta', partial_json: piece }
}

function blockText(block: Block): string {
  if (block.type === 'text') return block.text
  return block.type === 'thinking' ? block.thinking : JSON.stringify(block.input)
}

function parsedInput(json: string): unknown {
  try {
    return JSON.parse(json === '' ? '{}' : json)
  } catch {
    return { __unparsedToolInput: { raw: json, len: Buffer.byteLength(json) } }
  }
}
