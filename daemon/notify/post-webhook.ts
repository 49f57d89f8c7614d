import type { Message } from './message.ts'

export interface WebhookOptions {
  url: string
  headers: Record<string, string>
  timeoutMs: number
}

/** The message was not taken, and a further attempt may succeed: there was no connection, or the server had a fault. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
}

/**
 * Posts a message; resolves when it was taken (2xx). Redirects are not followed, because the headers may be meant for
 * one server only. A post that took too long is not repeated, because it may have been taken.
 */
export async function postWebhook(
  { url, headers, timeoutMs }: WebhookOptions,
  { body }: Message,
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController()
  let tookTooLong = false
  const timer = setTimeout(() => {
    tookTooLong = true
    ending.abort()
  }, timeoutMs)
  const abort = () => ending.abort()
  signal.addEventListener('abort', abort)
  let response: Response
  try {
    signal.throwIfAborted()
    response = await fetch(url, {
      method: 'POST',
      headers: headersOf(headers),
      body,
      redirect: 'manual',
      signal: ending.signal,
    })
    await response.body?.cancel()
  } catch (error) {
    if (tookTooLong) throw new Error(`it took longer than ${timeoutMs} ms`, { cause: error })
    if (signal.aborted) throw new Error('the daemon ends', { cause: error })
    throw new NotTaken(`it could not be reached: ${causeOf(error)}`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
  const { ok, status } = response
  if (ok) return
  const problem = `it answered ${status}`
  throw status >= 500 || status === 429 ? new NotTaken(problem) : new Error(problem)
}

/** Treats names as equal in any case. A plain object would send both values of a name that is written in two cases. */
function headersOf(configured: Record<string, string>): Headers {
  const headers = new Headers(configured)
  headers.set('content-type', 'application/json')
  if (!headers.has('user-agent')) headers.set('user-agent', 'muxd')
  return headers
}

/** The message `fetch failed` says nothing; its cause does. */
const causeOf = (error: unknown): string =>
  error instanceof Error ? (error.cause instanceof Error ? error.cause.message || error.cause.name : error.message) : ''
