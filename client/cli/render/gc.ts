import type { GcResult } from '../../sdk/index.ts'
import { bytes, count, table } from './format.ts'

/** Renders what was deleted, or would be, one line each, and the sum. */
export function gcLines({ dryRun, sessions, rawLogs, more, freedBytes }: GcResult, columns: number): string[] {
  const rows = [
    ...sessions.map(({ session, reason, bytes: size, events }) => [
      'delete',
      session,
      bytes(size),
      `${count(events)} events, ${why(reason)}`,
    ]),
    ...rawLogs.map(({ process, session, reason, bytes: size }) => [
      'drop',
      session,
      bytes(size),
      `raw log of ${process}, ${why(reason)}`,
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

const why = (reason: 'age' | 'size') => (reason === 'age' ? 'unused for too long' : 'all together too large')
