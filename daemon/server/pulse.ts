/** One timer for everything that has to be looked at now and then; it runs while there is something. */
export interface Pulse {
  /** Between two beats. Time counted in beats stands still while the machine sleeps or this process is held up. */
  readonly periodMs: number
  /** Returns the function that ends it. */
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
