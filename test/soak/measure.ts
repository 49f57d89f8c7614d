import { readdirSync, readFileSync } from 'node:fs'
import { ptyMasters } from '../support/processes.ts'

/** What a process holds. */
export interface Holdings {
  descriptors: number
  threads: number
  ptys: number
  rssMiB: number
}

/** Undefined when the process is gone. */
export function holdingsOf(pid: number): Holdings | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    // It has ended and was not collected yet.
    if (!status.includes('VmRSS')) return undefined
    const figure = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN)
    return {
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: figure('Threads'),
      ptys: ptyMasters(pid),
      rssMiB: figure('VmRSS') / 1_024,
    }
  } catch {
    return undefined
  }
}

/** Entries of a directory and all below it; none where it is not there. */
export function entriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true }) as string[]
  } catch {
    return []
  }
}

/** How much more than at first is no leak. Memory is the one that wanders: collections come when they like. */
export const slacks: Record<keyof Holdings, (first: number) => number> = {
  descriptors: () => 3,
  threads: () => 2,
  ptys: () => 0,
  rssMiB: first => 16 + first / 5,
}
