/** Work that is asked for often and done when there is a frame of the screen for it. */
export interface Frames {
  ask(): void
  /** What is not seen is not worked for; what was asked for meanwhile is done when it is seen again. */
  seen(isSeen: boolean): void
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
  let isSeen = true
  let isAsked = false

  function ask(): void {
    isAsked = !isSeen
    if (!isSeen) return
    if (waiting.size === 0) requestAnimationFrame(drawNext)
    waiting.add(mine)
  }

  return {
    ask,
    seen(next) {
      isSeen = next
      // Asked for before it was out of sight, and not done yet.
      if (!isSeen) isAsked = waiting.delete(mine) || isAsked
      else if (isAsked) ask()
    },
    close() {
      waiting.delete(mine)
    },
  }
}
