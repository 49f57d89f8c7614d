import type { ServerResponse } from 'node:http'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Block, ErrorReply, MessageReply, Reply } from './reply.ts'

/** Sends a reply, as server-sent events if `stream` is set. Returns early, without error, when the caller hangs up. */
export async function send(response: ServerResponse, reply: Reply, model: string, stream: boolean): Promise<void> {
  if (reply === 'hang up') return void response.destroy()
  if (reply.kind === 'error') return sendError(response, reply)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    if (reply.delayMs === Infinity) await once(response, 'close')
    else await sleep(reply.delayMs, undefined, { signal: gone.signal })
    if (stream) await streamMessage(response, reply, model, gone.signal)
    else sendWhole(response, reply, model)
  } catch (error) {
    if (!gone.signal.aborted) throw error
  }
}

function sendError(response: ServerResponse, reply: ErrorReply): void {
  response.writeHead(reply.status, { 'content-type': 'application/json', 'request-id': id('req'), ...reply.headers })
  response.end(JSON.stringify({ type: 'error', error: { type: reply.type, message: reply.message } }))
}

function sendWhole(response: ServerResponse, reply: MessageReply, model: string): void {
  const content = reply.blocks.map(block => {
    if (block.type === 'tool_use') return { type: block.type, id: id('toolu'), name: block.name, input: block.input }
    const whole = [...block.pieces].join('')
    return block.type === 'text'
      ? { type: 'text', text: whole }
      : { type: 'thinking', thinking: whole, signature: 'sig' }
  })
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': id('req') })
  response.end(JSON.stringify({ ...envelope(model), content, stop_reason: reply.stopReason }))
}

async function streamMessage(
  response: ServerResponse,
  reply: MessageReply,
  model: string,
  gone: AbortSignal,
): Promise<void> {
  const emit = (type: string, data: object = {}) => {
    gone.throwIfAborted()
    return response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': id('req') })
  emit('message_start', { message: envelope(model) })
  for (const [index, block] of reply.blocks.entries()) {
    emit('content_block_start', { index, content_block: emptyBlock(block) })
    for (const piece of piecesOf(block)) {
      const flowing = emit('content_block_delta', { index, delta: delta(block, piece) })
      if (reply.pieceMs > 0) await sleep(reply.pieceMs, undefined, { signal: gone })
      else if (!flowing) await once(response, 'drain', { signal: gone })
    }
    if (reply.broken && index === reply.blocks.length - 1) return breakOff(response, reply.broken, emit)
    if (block.type === 'thinking')
      emit('content_block_delta', { index, delta: { type: 'signature_delta', signature: 'sig' } })
    emit('content_block_stop', { index })
  }
  emit('message_delta', { delta: { stop_reason: reply.stopReason, stop_sequence: null }, usage: { output_tokens: 20 } })
  emit('message_stop')
  response.end()
}

function breakOff(
  response: ServerResponse,
  how: NonNullable<MessageReply['broken']>,
  emit: (type: string, data: object) => void,
): void {
  if (how === 'dropped') return void response.destroy()
  emit('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
  response.end()
}

function piecesOf(block: Block): Iterable<string> {
  if (block.type !== 'tool_use') return block.pieces
  const json = typeof block.input === 'string' ? block.input : JSON.stringify(block.input)
  return json.match(/[^]{1,12}/g) ?? []
}

function emptyBlock(block: Block): object {
  if (block.type === 'tool_use') return { type: 'tool_use', id: id('toolu'), name: block.name, input: {} }
  return block.type === 'text' ? { type: 'text', text: '' } : { type: 'thinking', thinking: '', signature: '' }
}

function delta(block: Block, piece: string): object {
  if (block.type === 'tool_use') return { type: 'input_json_delta', partial_json: piece }
  return block.type === 'text' ? { type: 'text_delta', text: piece } : { type: 'thinking_delta', thinking: piece }
}

function envelope(model: string): object {
  const usage = { input_tokens: 100, output_tokens: 1, cache_creation_input_tokens: 10, cache_read_input_tokens: 5 }
  return {
    id: id('msg'),
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  }
}

function id(prefix: string): string {
  return `${prefix}_01${randomBytes(11).toString('hex')}`
}
