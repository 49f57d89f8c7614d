import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bootId } from './boot-id.ts'
import { type ProcessEntry, readIfThere } from './process-list.ts'

/** A process that continues after the process that started it has ended. */
export interface LeftProcess {
  pid: number
  /** Ms since epoch. */
  startedAt: number
  /** Its arguments, joined with spaces, up to 4 KiB. */
  command: string
  /** Distinguishes it from a later process with the same pid, even after a restart of the machine. */
  identity: string
}

const maxCommandBytes = 4_096

export function describeLeft(entry: ProcessEntry): LeftProcess {
  const { pid } = entry
  return { pid, startedAt: startedAt(entry), command: commandOf(pid), identity: identityOf(entry) }
}

export const identityOf = ({ started }: Pick<ProcessEntry, 'started'>): string => `${bootId() ?? ''}/${started}`

function commandOf(pid: number): string {
  const raw = process.platform === 'linux' ? (readIfThere(`/proc/${pid}/cmdline`)?.toString() ?? '') : commandByPs(pid)
  return raw.slice(0, maxCommandBytes).replaceAll('\0', ' ').trim()
}

function commandByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** The unit of start times in `/proc`: hundredths of a second, whatever the kernel's timer frequency. */
const tickMs = 10

function startedAt({ started }: ProcessEntry): number {
  if (process.platform !== 'linux') return Date.parse(started)
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1])
  return bootSeconds * 1_000 + Number(started) * tickMs
}
