import { existsSync } from 'node:fs'

const lookMs = 1_000

/**
 * Checks every second for the file of a Unix socket, and calls `listenAgain` when it is missing, for example because a
 * program cleans temporary directories. The server still runs then, but clients cannot reach it. Returns the function
 * that ends the checks.
 */
export function keepSocket(
  path: string,
  listenAgain: () => Promise<void>,
  onError: (error: unknown) => void,
): () => void {
  let busy = false
  const look = async () => {
    if (busy || existsSync(path)) return
    busy = true
    try {
      await listenAgain()
    } catch (error) {
      onError(error)
    } finally {
      busy = false
    }
  }
  const timer = setInterval(() => void look(), lookMs).unref()
  return () => clearInterval(timer)
}
