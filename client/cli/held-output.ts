/** A stream that can be kept back for a while, so that something else has the screen for itself. */
export interface HeldOutput {
  write(text: string): void
  hold(): void
  release(): void
  /** Resolves when there is room for more: at once, unless very much is kept back. */
  room(): Promise<void>
}

/** More is not kept back; who writes waits for `room`. */
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
