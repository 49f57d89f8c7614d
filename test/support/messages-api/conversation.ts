import type { IncomingHttpHeaders } from 'node:http'

/** A request as received, with the facts that a scenario needs. */
export interface ApiRequest {
  at: number
  headers: IncomingHttpHeaders
  body: MessagesBody
  /** The header `x-claude-code-session-id`. */
  session: string | undefined
  /** The NAME in the newest user text with `scn:NAME` or `scn:NAME:ARGUMENT`; `plain` when no text has a marker. */
  scenario: string
  argument: string
  /** Results of the tools called after that text. */
  toolResults: ToolResult[]
  /** Whether the newest user message reports the end of a background task. */
  taskEnded: boolean
  /** How often the same request came before (same session, same conversation): 0 the first time. */
  attempt: number
  /** Whether the caller closed the connection before the answer was complete. */
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

/** Extracts everything that scenarios depend on from the conversation in the request. The caller counts `attempt`. */
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
    // An interrupted turn has no answer, so one message holds its text and the next turn's: the last marker counts.
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

/** Returns all user texts of this conversation, oldest first. */
export function userTexts(body: MessagesBody): string[] {
  return body.messages
    .filter(each => each.role === 'user')
    .flatMap(each => blocksOf(each).filter(block => block.type === 'text'))
    .map(block => block.text ?? '')
}

/** Returns all assistant texts of this conversation, oldest first. */
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
