/** Work that is asked for often and done once a frame of the screen, when there is one. */
export interface Frames {
  ask(): void
  close(): void
}

export function createFrames(work: () => void): Frames {
  let asked: number | undefined
  return {
    ask() {
      asked ??= requestAnimationFrame(() => {
        asked = undefined
        work()
      })
    },
    close() {
      if (asked !== undefined) cancelAnimationFrame(asked)
    },
  }
}
