/** Whether the user has something in their hands: a tab that is dragged, an edge that is moved. */
export interface BusySign {
  readonly busy: boolean
  /** Called when it is let go of. */
  onIdle(handler: () => void): () => void
  watch(element: HTMLElement): () => void
}

export function createBusySign(): BusySign {
  const handlers = new Set<() => void>()
  let busy = false
  const begin = () => {
    busy = true
  }
  const end = () => {
    if (!busy) return
    // What is let go of finds its place first.
    setTimeout(() => {
      busy = false
      for (const handler of handlers) handler()
    })
  }
  // A drag takes the pointer away, and its end is told where it began, unless that is gone.
  const ends = ['pointerup', 'dragend', 'drop', 'blur'] as const
  return {
    get busy() {
      return busy
    },
    onIdle(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    watch(element) {
      const begins = ['pointerdown', 'dragstart'] as const
      for (const type of begins) element.addEventListener(type, begin, { capture: true })
      for (const type of ends) addEventListener(type, end, { capture: true })
      return () => {
        for (const type of begins) element.removeEventListener(type, begin, { capture: true })
        for (const type of ends) removeEventListener(type, end, { capture: true })
      }
    },
  }
}
