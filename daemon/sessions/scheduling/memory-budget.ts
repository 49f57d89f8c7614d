/**
 * Tells whether there is memory for one more process of Claude Code. A process takes 180 to 270 MB within some seconds.
 * Until then it counts as if it had taken all of that.
 */
export interface MemoryBudget {
  has(): boolean
  /** One more process is about to be started. */
  reserve(): void
}

export interface MemoryBudgetOptions {
  /** The memory that must be available before a start; 0: no limit. */
  minFreeBytes: number
  /** Undefined if the system does not say: then nothing waits. */
  availableBytes(): number | undefined
  now(): number
}

export const processBytes = 256 * 1024 * 1024
export const growthMs = 10_000

export function createMemoryBudget({ minFreeBytes, availableBytes, now }: MemoryBudgetOptions): MemoryBudget {
  let startedAt: number[] = []
  return {
    has() {
      if (minFreeBytes === 0) return true
      startedAt = startedAt.filter(time => time > now() - growthMs)
      const available = availableBytes()
      return available === undefined || available - startedAt.length * processBytes >= minFreeBytes
    },
    reserve() {
      startedAt.push(now())
    },
  }
}
