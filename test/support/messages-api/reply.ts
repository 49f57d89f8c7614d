/** A scenario's answer to one request. Pure data: `send.ts` turns it into bytes. */
export type Reply = MessageReply | ErrorReply | 'hang up'

export interface MessageReply {
  kind: 'message'
  blocks: Block[]
  stopReason: StopReason
  /** Wait before the response headers. `Infinity` waits until the caller hangs up. */
  delayMs: number
  /** Wait between two pieces of a text, thinking or tool input. */
  pieceMs: number
  /** Replaces the end of the last block by an SSE `error` event or a dropped connection. */
  broken?: 'error event' | 'dropped'
}

export interface ErrorReply {
  kind: 'error'
  status: number
  type: string
  message: string
  headers: Record<string, string>
}

export type Block =
  | { type: 'text'; pieces: Iterable<string> }
  | { type: 'thinking'; pieces: Iterable<string> }
  /** Sent as JSON. A string is sent unchanged, even if it is not JSON. */
  | { type: 'tool_use'; name: string; input: unknown }

export type StopReason = 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal'

export function message(blocks: Block[], options: Partial<Omit<MessageReply, 'kind' | 'blocks'>> = {}): MessageReply {
  const stopReason = blocks.some(block => block.type === 'tool_use') ? 'tool_use' : 'end_turn'
  return { kind: 'message', blocks, stopReason, delayMs: 0, pieceMs: 0, ...options }
}

export function failure(status: number, type: string, cause: string, headers: Record<string, string> = {}): ErrorReply {
  return { kind: 'error', status, type, message: cause, headers }
}

/** Returns a text block in pieces of a few words. */
export function text(whole: string): Block {
  return { type: 'text', pieces: words(whole) }
}

export function thinking(whole: string): Block {
  return { type: 'thinking', pieces: words(whole) }
}

export function tool(name: string, input: unknown): Block {
  return { type: 'tool_use', name, input }
}

function words(whole: string): string[] {
  return whole.match(/\S*\s*/g)!.filter(word => word !== '')
}
