/** Notifies listeners each time the raw log of a process grows, and once when its terminal is closed. */
export interface Growth {
  readonly ended: boolean
  readonly whenEnded: Promise<void>
  tell(rawBytes: number): void
  end(rawBytes: number): void
  on(listener: GrowListener): () => void
}

export type GrowListener = (rawBytes: number, ended: boolean) => void

export function createGrowth(): Growth {
  const listeners = new Set<GrowListener>()
  let endBytes: number | undefined
  let resolveEnded: () => void
  const whenEnded = new Promise<void>(resolve => (resolveEnded = resolve))
  return {
    get ended() {
      return endBytes !== undefined
    },
    whenEnded,
    tell(rawBytes) {
      for (const listener of listeners) listener(rawBytes, false)
    },
    end(rawBytes) {
      endBytes = rawBytes
      for (const listener of listeners) listener(rawBytes, true)
      resolveEnded()
    },
    on(listener) {
      listeners.add(listener)
      // A listener that is added after the end is called too, in a microtask.
      if (endBytes !== undefined) queueMicrotask(() => listeners.has(listener) && listener(endBytes!, true))
      return () => listeners.delete(listener)
    },
  }
}
