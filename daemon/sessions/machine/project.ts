import type { Activity, Session, WaitingFor } from '../../../protocol/index.ts'
import { whatWasHeard } from './fold/last-heard.ts'
import type { StoredRun } from './fold/live-run.ts'
import type { Machine, Out } from './machine.ts'
import { currentRun, goingRun, isWorking, type StoredApproval } from './fold/state.ts'

/** The records of a loaded session. A record that has not changed stays the same object. */
export interface Records {
  session: Session
  runs: ReadonlyMap<string, StoredRun>
  approvals: readonly StoredApproval[]
}

type Projected = Pick<Machine, 's' | 'v' | 'agent'>

/** Returns the records as readers see them. `time` becomes `updatedAt` if the session's record has changed. */
export function project(m: Projected, before: Records | undefined, time: number): Records {
  const runs = new Map<string, StoredRun>()
  for (const run of [m.s.active, m.s.background]) if (run) runs.set(run.stored.run.run, run.stored)
  for (const { run } of m.s.queue) runs.set(run.run, runRecord(m, run.run, before?.runs.get(run.run))!)
  return { session: sessionRecord(m, before?.session, time), runs, approvals: m.s.open }
}

/** Returns the records that a step has changed, to be stored in its entry. */
export function changesOf(before: Records | undefined, after: Records, out: Pick<Out, 'ended' | 'resolved'>) {
  return {
    ...(after.session !== before?.session && { session: after.session }),
    runs: [...out.ended, ...[...after.runs.values()].filter(run => run !== before?.runs.get(run.run.run))],
    approvals: [...out.resolved, ...after.approvals.filter(each => !before?.approvals.includes(each))],
  }
}

/** Returns the record of a run that has not ended; `before` if it has not changed. */
export function runRecord({ s, v }: Pick<Machine, 's' | 'v'>, id: string, before?: StoredRun): StoredRun | undefined {
  const position = s.queue.findIndex(({ run }) => run.run === id)
  if (position < 0) return goingRun(s, id)?.stored
  const { run, promptUuid } = s.queue[position]!
  const waitingFor: WaitingFor | undefined = position > 0 || isWorking(s) ? 'session' : v.waitingFor
  if (before?.run.state === 'queued' && before.run.position === position && before.run.waitingFor === waitingFor)
    return before
  const { waitingFor: _, ...record } = run
  return { run: { ...record, position, ...(waitingFor && { waitingFor }) }, promptUuid }
}

function sessionRecord({ s, v }: Projected, before: Session | undefined, time: number): Session {
  const { process } = v
  const shown =
    process?.pid !== undefined && process.pid !== null ? { pid: process.pid, startedAt: process.startedAt } : null
  const isSame =
    before !== undefined &&
    before.state === sessionState({ s }) &&
    before.process?.pid === shown?.pid &&
    before.process?.startedAt === shown?.startedAt &&
    Object.keys(before).length === Object.keys(s.session).length + 4 &&
    Object.entries(s.session).every(([name, value]) => before[name as keyof Session] === value)
  if (isSame) return before
  return { ...s.session, state: sessionState({ s }), process: shown, head: s.head, updatedAt: time }
}

function sessionState({ s }: Pick<Machine, 's'>): Session['state'] {
  const isAsking = s.open.length > 0
  if (isWorking(s) || s.queue.length > 0) return isAsking ? 'waiting' : 'running'
  if (s.closed) return 'closed'
  return isAsking ? 'waiting' : 'idle'
}

/** Returns the last sign of life of a run that has left the queue and has not ended. */
export function activityOf({ s }: Pick<Machine, 's'>, run: string, time: number): Activity | undefined {
  const startedAt = currentRun(s)?.stored.run.startedAt
  if (!goingRun(s, run) || startedAt === undefined || startedAt === null) return undefined
  const { lastLineAt, heard } = s.process ?? {}
  const silentMs = (at: number) => Math.max(0, time - at)
  if (!heard || lastLineAt === undefined || lastLineAt < startedAt)
    return { at: startedAt, silentMs: silentMs(startedAt), what: 'run_started' }
  return { at: lastLineAt, silentMs: silentMs(lastLineAt), what: whatWasHeard(heard) }
}

/** Returns the size of the queued prompts in bytes. */
export const queuedBytes = ({ s }: Pick<Machine, 's'>): number =>
  s.queue.reduce((sum, { run }) => sum + Buffer.byteLength(run.prompt), 0)
