import { writeSync } from 'node:fs'
import { closeMessage, newId, openMessage, requesting, streamed, words, writeBlock } from './message.ts'
import type { Step } from './script.ts'
import { useTools } from './tools.ts'
import { firstMark, pause, show, wait, type ToolCall, type Turn } from './turn.ts'

/** The vocabulary of scripts. Each call makes one step; a script yields it. */

/** Delay of a word: about the speed of reading. */
export const readingMs = 45

export const text =
  (whole: string, delayMs = readingMs): Step =>
  turn =>
    writeBlock(turn, { type: 'text', text: '' }, words(whole), delayMs)

/** Text in the pieces that the caller gives. */
export const textPieces =
  (pieces: Iterable<string>, delayMs: number): Step =>
  turn =>
    writeBlock(turn, { type: 'text', text: '' }, pieces, delayMs)

export const thinking =
  (whole: string, delayMs = readingMs): Step =>
  turn =>
    writeBlock(turn, { type: 'thinking', thinking: '', signature: '' }, words(whole), delayMs)

/** Tool calls of one message. `yield` returns their outcomes. */
export const tools =
  (...calls: ToolCall[]): Step =>
  turn =>
    useTools(turn, calls)

/** Does nothing until the turn is stopped. */
export const hang = (): Step => wait

/** A frame as it is; session id and uuid are added. */
export const frame =
  (fields: object | ((turn: Turn) => object)): Step =>
  async turn =>
    show(turn, typeof fields === 'function' ? fields(turn) : fields)

/** Bytes as they are. */
export const raw =
  (bytes: string): Step =>
  async turn =>
    turn.session.output.write(bytes)

export const stderr =
  (line: string): Step =>
  async () =>
    void writeSync(2, `${line}\n`)

export const endMessage =
  (stopReason: string): Step =>
  async turn =>
    closeMessage(turn, stopReason)

/** Ends the process as soon as everything printed has been handed to the kernel. */
export const exit =
  (code: number): Step =>
  async turn => {
    await turn.session.output.drained()
    process.exit(code)
  }

/** Kills the process with a signal. */
export const die =
  (signal: NodeJS.Signals): Step =>
  async turn => {
    await turn.session.output.drained()
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    return wait(turn)
  }

/** A broken stream: the message is withdrawn, and the next attempt comes in complete frames only. */
export const abandon = (): Step => async turn => {
  const { message } = turn
  if (!message) return
  if (message.open) streamed(turn, { type: 'content_block_stop', index: message.blocks })
  streamed(turn, { type: 'message_stop' }, { abandoned_blocks: { api_message_id: message.id, from_block_index: 0 } })
  turn.message = undefined
  turn.text = ''
  await openMessage(turn, true)
}

/** Text that stops in the middle of its block, like a stream that breaks. */
export const brokenText =
  (whole: string, delayMs = readingMs): Step =>
  async turn => {
    const message = await openMessage(turn)
    const index = message.blocks
    streamed(turn, { type: 'content_block_start', index, content_block: { type: 'text', text: '' } })
    message.open = { type: 'text', text: '' }
    for (const piece of words(whole)) {
      message.open.text += piece
      streamed(turn, { type: 'content_block_delta', index, delta: { type: 'text_delta', text: piece } })
      await pause(turn, delayMs)
    }
  }

/** A request that the API refused temporarily. */
export const apiRetry =
  (attempt: number, maxRetries: number, delayMs: number, status: number | null, error: string): Step =>
  async turn => {
    requesting(turn)
    const about = { attempt, max_retries: maxRetries, retry_delay_ms: delayMs, error_status: status, error }
    show(turn, { type: 'system', subtype: 'api_retry', ...about })
    await pause(turn, delayMs)
  }

/** An error of the API that ends the turn, in the words of the CLI. */
export interface ApiFailure {
  text: string
  /** `error` of the assistant frame. */
  error: string
  status: number | null
  type?: string
  apiError?: string
  terminalReason?: string
  stopReason?: string
}

export const apiFailure =
  (failure: ApiFailure): Step =>
  async turn => {
    if (turn.requests === 0) requesting(turn)
    await pause(turn, 100)
    closeMessage(turn, failure.stopReason ?? 'end_turn')
    const { text: words_, error, status, type, apiError, stopReason = 'stop_sequence' } = failure
    const api = {
      ...(status !== null && { api_error_status: status, api_error_type: type }),
      ...(apiError !== undefined && { api_error: apiError }),
    }
    show(turn, {
      type: 'assistant',
      message: syntheticMessage(words_, stopReason),
      parent_tool_use_id: null,
      timestamp: new Date().toISOString(),
      error,
      request_id: newId('req'),
      is_api_error_message: true,
      ...api,
      ...firstMark(turn, 'assistant'),
    })
    turn.stopReason = stopReason
    turn.ending = {
      terminal_reason: failure.terminalReason ?? 'api_error',
      is_error: true,
      subtype: 'success',
      api_error_status: status,
      ...api,
      result: words_,
    }
  }

/** Ends the turn with this `result`. */
export const endWith =
  (ending: object): Step =>
  async turn => {
    closeMessage(turn, 'end_turn')
    turn.ending = ending
  }

function syntheticMessage(said: string, stopReason: string): object {
  return {
    diagnostics: null,
    id: newId('msg'),
    container: null,
    model: '<synthetic>',
    role: 'assistant',
    stop_details: null,
    stop_reason: stopReason,
    stop_sequence: '',
    type: 'message',
    usage: {
      output_tokens_details: null,
      input_tokens: 0,
      output_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
      service_tier: null,
      cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 },
      inference_geo: null,
      iterations: null,
      speed: null,
      fallback_credit: null,
    },
    content: [{ type: 'text', text: said }],
    context_management: null,
  }
}
