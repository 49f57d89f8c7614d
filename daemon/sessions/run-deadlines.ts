import type { Run } from '../../protocol/index.ts'
import { startDeadline } from '../os/deadline.ts'
import { sleepWatch } from '../os/sleep.ts'
import type { ReachedLimit } from './active-run.ts'

/** A run that goes on, and what its limits are counted from. */
export interface Watched {
  limits: NonNullable<Run['limits']>
  startedAt: number
  /** When its process printed last; undefined when it has printed nothing. */
  printedAt: number | undefined
  /** When the last approval that waited was answered. */
  answeredAt?: number | undefined
  /** An approval waits for its answer: nobody can expect the process to say anything. */
  waiting: boolean
}

/** The limit that it comes to first, and when. */
export function nextDeadline(
  watched: Watched,
  sleptSince: (at: number) => number = () => 0,
): (ReachedLimit & { at: number }) | undefined {
  const { limits, startedAt, printedAt = 0, answeredAt = 0, waiting } = watched
  const { timeoutMs, inactivityMs } = limits
  const found: (ReachedLimit & { at: number })[] = []
  if (timeoutMs !== undefined) found.push({ limit: 'timeoutMs', value: timeoutMs, at: startedAt + timeoutMs })
  if (inactivityMs !== undefined && !waiting) {
    const since = Math.max(startedAt, printedAt, answeredAt)
    found.push({ limit: 'inactivityMs', value: inactivityMs, at: since + inactivityMs + sleptSince(since) })
  }
  return found.toSorted((one, other) => one.at - other.at)[0]
}

/**
 * The clock of a session's run. All that it counts from is stored, so that the next daemon goes on with the same deadlines.
 * Both limits go by the wall clock; only the silence does not count the time in which the machine slept.
 */
export interface RunDeadlines {
  /** Something has changed: another run goes on, or none, or an approval waits or was answered. */
  look(): void
  close(): void
}

/**
 * Calls `reached` when the run that `watched` gives then has come to a limit. What a process prints is not told: it is
 * asked for when its time would be up.
 */
export function createRunDeadlines(
  watched: () => Watched | undefined,
  reached: (limit: ReachedLimit) => void,
): RunDeadlines {
  let cancel = () => {}

  function look() {
    cancel()
    const run = watched()
    const next = run && nextDeadline(run, sleepWatch.sleptSince)
    if (!next) return
    if (next.at <= Date.now()) reached({ limit: next.limit, value: next.value })
    else cancel = startDeadline(next.at, look)
  }

  return { look, close: () => cancel() }
}
