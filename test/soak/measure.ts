import { readdirSync, readFileSync } from 'node:fs'
import { ptyMasters } from '../support/processes.ts'

/** The resources that a process holds. */
export interface Holdings {
  descriptors: number
  threads: number
  ptys: number
  rssMiB: number
}

/** Returns undefined when the process is gone. */
export function holdingsOf(pid: number): Holdings | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    // A zombie: it has ended, but its parent has not collected it.
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

/** Returns the entries of a directory and everything below it; an empty array when it does not exist. */
export function entriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true }) as string[]
  } catch {
    return []
  }
}

/** How much growth over the first value is no leak. Memory varies most, since garbage is collected at any time. */
export const slacks: Record<keyof Holdings, (first: number) => number> = {
  descriptors: () => 3,
  threads: () => 2,
  ptys: () => 0,
  rssMiB: first => 16 + first / 5,
}
