import type { IncomingHttpHeaders } from 'node:http'

/** A request as it came, and what a scenario needs to know of it. */
export interface ApiRequest {
  at: number
  headers: IncomingHttpHeaders
  body: MessagesBody
  /** The header `x-claude-code-session-id`. */
  session: string | undefined
  /** From `scn:NAME` (then optionally `:ARGUMENT`) in the newest user text that has one; `plain` when there is none. */
  scenario: string
  argument: string
  /** Results of the tools called since that text. */
  toolResults: ToolResult[]
  /** Whether the newest user message tells of a background task that has ended. */
  taskEnded: boolean
  /** How often this very request came before (same session, same conversation): 0 the first time. */
  attempt: number
  /** Set when the caller closed the connection before the answer was complete. */
  abandoned: boolean
}

export interface MessagesBody {
  model: string
  stream?: boolean
  messages: { role: 'user' | 'assistant' | 'system'; content: string | ContentBlock[] }[]
  system?: unknown
  tools?: { name: string }[]
}

export interface ContentBlock {
  type: string
  text?: string
  tool_use_id?: string
  content?: unknown
  is_error?: boolean
}

export interface ToolResult {
  toolUseId: string
  content: unknown
  isError: boolean
}

/** Everything a scenario decides by follows from the conversation in the request; only `attempt` is counted by the caller. */
export function readConversation(
  body: MessagesBody,
): Pick<ApiRequest, 'scenario' | 'argument' | 'toolResults' | 'taskEnded'> {
  const toolResults: ToolResult[] = []
  const taskEnded = blocksOf(body.messages.findLast(each => each.role === 'user')).some(block =>
    block.text?.includes('<task-notification>'),
  )
  for (const each of body.messages.toReversed()) {
    if (each.role !== 'user') continue
    const blocks = blocksOf(each)
    // A turn that was cut off has no answer, so its text and the next one's come in one message: the last marker counts.
    const marker = blocks.flatMap(block => [...(block.text ?? '').matchAll(/\bscn:([\w-]+)(?::(\S+))?/g)]).at(-1)
    if (marker) return { scenario: marker[1]!, argument: marker[2] ?? '', toolResults, taskEnded }
    for (const block of blocks) {
      if (block.type !== 'tool_result') continue
      toolResults.unshift({
        toolUseId: block.tool_use_id ?? '',
        content: block.content,
        isError: block.is_error ?? false,
      })
    }
  }
  return { scenario: 'plain', argument: '', toolResults, taskEnded }
}

/** All text the user has said in this conversation, oldest first. */
export function userTexts(body: MessagesBody): string[] {
  return body.messages
    .filter(each => each.role === 'user')
    .flatMap(each => blocksOf(each).filter(block => block.type === 'text'))
    .map(block => block.text ?? '')
}

/** All text Claude has said in this conversation, oldest first. */
export function assistantTexts(body: MessagesBody): string[] {
  return body.messages
    .filter(each => each.role === 'assistant')
    .flatMap(each => blocksOf(each).filter(block => block.type === 'text'))
    .map(block => block.text ?? '')
}

function blocksOf(message: MessagesBody['messages'][number] | undefined): ContentBlock[] {
  if (!message) return []
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
}
