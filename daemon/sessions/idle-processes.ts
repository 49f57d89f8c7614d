import type { LiveSession } from './interpreter/live-session.ts'

/** Ends the idle processes above `max`, the one whose session was unused for longest first. */
export function endIdleProcesses(sessions: Iterable<LiveSession>, max: number): void {
  const idle = [...sessions].filter(({ hasIdleProcess }) => hasIdleProcess)
  if (idle.length <= max) return
  const byUse = idle.toSorted((one, other) => one.record.usedAt - other.record.usedAt)
  for (const session of byUse.slice(0, idle.length - max)) session.endIdleProcess()
}
