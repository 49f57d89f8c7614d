/** Says whether the user is dragging a tab or moving an edge. */
export interface BusySign {
  readonly busy: boolean
  /** Calls the handler when the drag has ended. Returns the function that removes it. */
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
    // Let the dropped tab reach its place first.
    setTimeout(() => {
      busy = false
      for (const handler of handlers) handler()
    })
  }
  // A drag suppresses `pointerup`. Its `dragend` goes to the element where it began, unless that has been removed.
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
