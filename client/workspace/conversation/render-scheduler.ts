/** Runs the drawing of a pane in an animation frame, however often it is requested. */
export interface RenderScheduler {
  ask(): void
  /** A hidden pane is not drawn. A request made meanwhile runs when the pane is visible again. */
  seen(isSeen: boolean): void
  close(): void
}

/** The requested work of all panes. */
const waiting = new Set<() => void>()

/** Draws one pane per animation frame, in turns, so that many busy panes do not make a frame longer. */
function drawNext(): void {
  const [next] = waiting
  if (!next) return
  waiting.delete(next)
  if (waiting.size > 0) requestAnimationFrame(drawNext)
  next()
}

export function createRenderScheduler(work: () => void): RenderScheduler {
  // A function of its own, because several schedulers may share `work`.
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
      // A request from before the pane was hidden is still pending.
      if (!isSeen) isAsked = waiting.delete(mine) || isAsked
      else if (isAsked) ask()
    },
    close() {
      waiting.delete(mine)
    },
  }
}
