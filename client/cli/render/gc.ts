import type { GcResult } from '../../index.ts'
import { bytes, count, table } from './format.ts'

/** What went, or would go, for a person: a line each, and the sum. */
export function gcLines({ dryRun, sessions, rawLogs, more, freedBytes }: GcResult, columns: number): string[] {
  const rows = [
    ...sessions.map(({ session, reason, bytes: size, events }) => [
      'delete',
      session,
      bytes(size),
      `${count(events)} events, ${reason === 'age' ? 'unused for too long' : 'all together too large'}`,
    ]),
    ...rawLogs.map(({ process, session, action, bytes: size }) => [
      action,
      session,
      bytes(size),
      `raw log of ${process}`,
    ]),
  ]
  const beyond = more.sessions + more.rawLogs
  const sum = `${bytes(freedBytes)} ${dryRun ? 'would be freed' : 'freed'}`
  return [
    ...(rows.length > 0 ? table(['ACTION', 'SESSION', 'SIZE', 'WHAT'], rows, columns, 3) : []),
    ...(beyond > 0 ? [`and ${count(beyond)} more`] : []),
    rows.length > 0 ? sum : `nothing ${dryRun ? 'would go' : 'had to go'}`,
  ]
}
