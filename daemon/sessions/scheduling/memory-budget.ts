/**
 * Whether there is memory for one more Claude Code. It takes 180 to 270 MB, but only after some seconds: those that were
 * started moments ago are counted as if they had all of it already.
 */
export interface MemoryRoom {
  has(): boolean
  /** One more process is about to be started. */
  reserve(): void
}

export interface MemoryRoomOptions {
  /** At least so much has to be available before a start; 0: it is not looked at. */
  minFreeBytes: number
  /** Undefined where the system does not tell: then nothing waits. */
  availableBytes(): number | undefined
  now(): number
}

export const processBytes = 256 * 1024 * 1024
export const growthMs = 10_000

export function createMemoryRoom({ minFreeBytes, availableBytes, now }: MemoryRoomOptions): MemoryRoom {
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
