import { createTranscript, type Transcript } from '../model/transcript.ts'
import type { EventBuffer } from './event-buffer.ts'

/** The transcript of the entries of a buffer. */
export interface WindowTranscript {
  readonly current: Transcript
  /** Starts an empty transcript. */
  clear(): void
  /**
   * Rebuilds the transcript, because its items depend on the first event. Works in pieces between animation frames, while
   * the current transcript stays visible and receives events. A later rebuild replaces an unfinished one.
   */
  rebuild(): Promise<void>
  /** Abandons an unfinished rebuild. */
  stop(): void
}

/** `pieceMs`: the approximate duration of one piece of a rebuild. Calls `onRebuilt` after each rebuild. */
export function createWindowTranscript(buffer: EventBuffer, pieceMs: number, onRebuilt: () => void): WindowTranscript {
  let current = createTranscript()
  // Counts rebuilds and stops.
  let rebuilds = 0
  return {
    get current() {
      return current
    },
    clear() {
      current = createTranscript()
    },
    async rebuild() {
      const mine = ++rebuilds
      const next = createTranscript()
      for (let at = 0; at < buffer.entries.length; ) {
        // A hidden page has no animation frames, and its timers are throttled.
        const until = document.hidden ? Infinity : performance.now() + pieceMs
        do next.add(buffer.entries[at++]!)
        while (at < buffer.entries.length && performance.now() < until)
        if (at < buffer.entries.length) await new Promise(resolve => void setTimeout(resolve))
        if (mine !== rebuilds) return
      }
      current = next
      onRebuilt()
    },
    stop() {
      rebuilds++
    },
  }
}
