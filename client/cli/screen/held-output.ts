/** A stream whose output can be held back for a while, so that something else can use the screen. */
export interface HeldOutput {
  write(text: string): void
  hold(): void
  release(): void
  /** Resolves when there is room for more: at once, unless more than 1 Mi characters are held back. */
  room(): Promise<void>
}

/** The most characters held back before `room` waits. */
const mostCharacters = 1024 * 1024

export function createHeldOutput(write: (text: string) => void): HeldOutput {
  let held: string[] | undefined
  let size = 0
  let released = Promise.resolve()
  let onRelease = () => {}
  return {
    write(text) {
      if (!held) return write(text)
      held.push(text)
      size += text.length
    },
    hold() {
      held ??= []
      released = new Promise(resolve => (onRelease = resolve))
    },
    release() {
      const texts = held ?? []
      held = undefined
      size = 0
      for (const text of texts) write(text)
      onRelease()
    },
    room: async () => (size > mostCharacters ? released : undefined),
  }
}
