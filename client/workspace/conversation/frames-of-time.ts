/** Work that is asked for often and done when there is a frame of the screen for it. */
export interface Frames {
  ask(): void
  close(): void
}

/** What waits for a frame, of all panes together. */
const waiting = new Set<() => void>()

/** One pane is drawn a frame, in turns: however many are written to at once, no frame takes longer for it. */
function drawNext(): void {
  const [next] = waiting
  if (!next) return
  waiting.delete(next)
  if (waiting.size > 0) requestAnimationFrame(drawNext)
  next()
}

export function createFrames(work: () => void): Frames {
  // Not `work` itself, which somebody else may ask for as well.
  const mine = () => work()
  return {
    ask() {
      if (waiting.size === 0) requestAnimationFrame(drawNext)
      waiting.add(mine)
    },
    close() {
      waiting.delete(mine)
    },
  }
}
