import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { bootId } from './boot-id.ts'
import { type ProcessEntry, readIfThere } from './process-list.ts'

/** A process that goes on after the one that started it. */
export interface LeftProcess {
  pid: number
  /** Ms since epoch. */
  startedAt: number
  /** Its arguments, joined; the beginning of them. */
  command: string
  /** Tells it from a later process with its pid, also over a start of the machine. */
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

/** The kernel counts in hundredths of a second, whatever its own pace. */
const tickMs = 10

function startedAt({ started }: ProcessEntry): number {
  if (process.platform !== 'linux') return Date.parse(started)
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1])
  return bootSeconds * 1_000 + Number(started) * tickMs
}
