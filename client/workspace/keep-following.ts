import type { Mux } from '../browser.ts'

const pauseMs = 500

/**
 * Follows a topic for as long as the connection is not closed: `follow` begins with calls, which are lost with their
 * connection, and is then begun again. Rejects with what no repetition helps against.
 */
export async function keepFollowing(mux: Mux, follow: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  while (mux.state !== 'closed' && !signal?.aborted) {
    try {
      await follow()
    } catch (error) {
      if (signal?.aborted) return
      if (!(error as { retryable?: boolean }).retryable) throw error
      await new Promise(resolve => void setTimeout(resolve, pauseMs))
    }
  }
}
