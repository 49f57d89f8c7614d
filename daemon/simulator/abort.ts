import { charge, showAssistant, streamed } from './message.ts'
import { errorEnding, showResult } from './result.ts'
import { showUser } from './tools.ts'
import type { Block, StopCause, Turn } from './turn.ts'

const rejected =
  "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed."
const stopped =
  ' Correction to the text above: this call was stopped while running, not refused before it ran. It may have run in part or in full, and its changes may have been written.'

/**
 * Prints what a stopped turn still prints, depending on what it was doing: writing a message, waiting for one, or
 * running tools. Returns false if there is no `result`: a signal came before the first token, or while a permission was
 * asked for.
 */
export function showAbort(turn: Turn, cause: StopCause): boolean {
  const asking = [...turn.tools.values()].some(tool => tool.phase === 'asking')
  if (turn.tools.size > 0) {
    abortTools(turn, cause)
    if (cause === 'signal' && asking) return false
    showResult(turn, diagnosed('aborted_tools', 'tool_use'))
    return true
  }
  const began = turn.message !== undefined
  abortMessage(turn)
  turn.stopReason = null
  if (cause === 'signal' && !began) return false
  showResult(turn, diagnosed('aborted_streaming', 'null'))
  return true
}

function abortTools(turn: Turn, cause: StopCause): void {
  for (const [id, { phase }] of turn.tools) {
    const content = rejected + (cause === 'interrupt' && phase === 'running' ? stopped : '')
    showUser(turn, [{ type: 'tool_result', content, is_error: true, tool_use_id: id }], {
      tool_use_result: 'User rejected tool use',
      tool_result_meta: [{ id, non_execution_kind: 'user-rejected' }],
    })
  }
  showUser(turn, [{ type: 'text', text: '[Request interrupted by user for tool use]' }])
  turn.stopReason = 'tool_use'
}

function abortMessage(turn: Turn): void {
  const { message } = turn
  const interrupted = [{ type: 'text', text: '[Request interrupted by user]' }]
  if (!message) return showUser(turn, interrupted)
  const { open } = message
  let whole = message.blocks
  if (open && hasContent(open)) {
    showAssistant(turn, message, open, { aborted: true })
    whole += 1
  }
  showUser(turn, interrupted)
  if (open) streamed(turn, { type: 'content_block_stop', index: message.blocks })
  streamed(turn, {
    type: 'message_delta',
    context_management: null,
    delta: { container: null, stop_details: null, stop_reason: null, stop_sequence: null },
    usage: {
      output_tokens_details: { thinking_tokens: 0 },
      cache_creation_input_tokens: message.tokens.cacheCreation,
      cache_read_input_tokens: message.tokens.cacheRead,
      input_tokens: message.tokens.input,
      iterations: [],
      output_tokens: message.tokens.output,
      server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
      fallback_credit: null,
    },
  })
  const abandoned = { api_message_id: message.id, from_block_index: whole }
  streamed(turn, { type: 'message_stop' }, { abandoned_blocks: abandoned })
  charge(turn, message)
  turn.message = undefined
}

// A tool input that was not written to its end is dropped.
const hasContent = (block: Block) => (block.type === 'text' ? block.text : block.type === 'thinking' && block.thinking)

const diagnosed = (terminalReason: string, stopReason: string) =>
  errorEnding('error_during_execution', terminalReason, [
    `[ede_diagnostic] result_type=user last_content_type=n/a stop_reason=${stopReason}`,
  ])
