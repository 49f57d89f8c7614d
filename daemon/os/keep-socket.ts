import { existsSync } from 'node:fs'

const lookMs = 1_000

/**
 * Calls `listenAgain` when the file of a Unix socket has vanished, for example because something tidies temporary
 * directories: its server goes on, but nobody can find it. Returns what ends this.
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
