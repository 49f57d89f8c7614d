/** One timer for all periodic checks. It runs while there is at least one check. */
export interface Pulse {
  /** Time between two beats. Time counted in beats stands still while the machine sleeps or this process is blocked. */
  readonly periodMs: number
  /** Calls `look` at each beat. Returns the function that ends this. */
  onBeat(look: () => void): () => void
}

export function createPulse(periodMs: number): Pulse {
  const looks = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  return {
    periodMs,
    onBeat(look) {
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
