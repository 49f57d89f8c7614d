/** One timer for all periodic checks. It runs while there is at least one check. */
export interface Ticker {
  /** Time between two ticks. Time counted in ticks stands still while the machine sleeps or this process is blocked. */
  readonly periodMs: number
  /** Calls `look` at each tick. Returns the function that ends this. */
  onTick(look: () => void): () => void
}

export function createTicker(periodMs: number): Ticker {
  const looks = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  return {
    periodMs,
    onTick(look) {
      looks.add(look)
      timer ??= setInterval(() => looks.forEach(each => each()), periodMs)
      return () => {
        looks.delete(look)
        if (looks.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
  }
}
