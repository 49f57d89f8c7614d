import type { Message } from './message.ts'

export interface WebhookOptions {
  url: string
  headers: Record<string, string>
  timeoutMs: number
}

/** It was not taken, and may be when it is tried again: no connection, or a fault of the server's. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken'
}

/**
 * Posts a message; resolves when it was taken (2xx). A redirection is not followed: the headers may be meant for one
 * server only. What took too long is not tried again, for it may have been taken.
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

/** Names in any case: an object would send what stands there twice as both. */
function headersOf(configured: Record<string, string>): Headers {
  const headers = new Headers(configured)
  headers.set('content-type', 'application/json')
  if (!headers.has('user-agent')) headers.set('user-agent', 'muxd')
  return headers
}

/** `fetch failed` says nothing; what it has failed of does. */
const causeOf = (error: unknown): string =>
  error instanceof Error ? (error.cause instanceof Error ? error.cause.message || error.cause.name : error.message) : ''
