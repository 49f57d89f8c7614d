import type { LeftProcess, Session } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import { redact } from '../log/redact.ts'
import type { LeftProcess as FoundProcess } from '../os/left-process.ts'
import { identitiesOf } from '../os/process-identity.ts'

/**
 * Returns the record with the processes that one more process has left behind. Removes those that have ended meanwhile.
 */
export function withLeft(record: Session, found: readonly FoundProcess[]): Session {
  const before = withoutEnded(record).left
  const processes = [...(before?.processes ?? []), ...found.map(shownProcess)]
  if (processes.length === 0) return withoutLeft(record)
  const more = (before?.more ?? 0) + Math.max(0, processes.length - limits.maxLeftProcesses)
  return { ...record, left: { processes: processes.slice(0, limits.maxLeftProcesses), more } }
}

function shownProcess({ command, ...process }: FoundProcess): LeftProcess {
  const text = redact(command)
  const isLong = text.length > limits.maxLeftCommandLength
  return { ...process, command: isLong ? `${text.slice(0, limits.maxLeftCommandLength - 1)}…` : text }
}

export function withoutLeft({ left: _, ...record }: Session): Session {
  return record
}

/** Returns the record without the left processes that have ended, or whose pid now belongs to another process. */
export function withoutEnded(record: Session): Session {
  if (!record.left) return record
  const identities = identitiesOf(record.left.processes.map(({ pid }) => pid))
  const processes = record.left.processes.filter(({ pid, identity }) => identities.get(pid) === identity)
  return processes.length === 0 ? withoutLeft(record) : { ...record, left: { ...record.left, processes } }
}
