import { DatabaseBusy, DiskFull, SyncFailed, type Store } from '../store.ts'
import type { JournalEntry } from './entry.ts'

export interface Outcome {
  committed: JournalEntry[]
  failed: { entry: JournalEntry; error: unknown }[]
}

/**
 * Commits all entries in one transaction. If that fails, commits each on its own, so that a fault stays in its session.
 */
export function commitBatch(store: Store, batch: JournalEntry[]): Outcome {
  const outcome = commitEntries(store, batch)
  for (const entry of outcome.committed) if (forgetsActs(entry)) store.acts.sweep(entry.session)
  return outcome
}

function commitEntries(store: Store, batch: JournalEntry[]): Outcome {
  try {
    // While the ballast is released, the rest of the disk is for durable entries.
    if (!store.ballast.restore()) return commitSingly(store, batch)
    store.transaction(() => {
      for (const entry of batch) write(store, entry)
    })
    return { committed: batch, failed: [] }
  } catch (error) {
    // Each further attempt would block the daemon for just as long, or be refused.
    if (error instanceof DatabaseBusy || error instanceof SyncFailed)
      return { committed: [], failed: batch.map(entry => ({ entry, error })) }
    return commitSingly(store, batch)
  }
}

function commitSingly(store: Store, batch: JournalEntry[]): Outcome {
  const outcome: Outcome = { committed: [], failed: [] }
  const errors = new Map<string, unknown>()
  for (const entry of batch) {
    try {
      // An entry after a failed one would leave a hole in its session's `seq`.
      if (errors.has(entry.session)) throw errors.get(entry.session)
      commitOne(store, entry)
      outcome.committed.push(entry)
    } catch (error) {
      errors.set(entry.session, error)
      outcome.failed.push({ entry, error })
    }
  }
  return outcome
}

function commitOne(store: Store, entry: JournalEntry): void {
  if (store.ballast.released && !entry.durable) {
    throw new DiskFull('the disk is full: what is left of it is kept for the ends of runs')
  }
  try {
    store.transaction(() => write(store, entry))
  } catch (error) {
    if (!(error instanceof DiskFull) || !entry.durable) throw error
    if (store.ballast.released && entry.deleted !== true) throw error
    // A deletion frees space, so it may also use the space of the write-ahead log.
    if (entry.deleted === true) store.makeRoom()
    else store.ballast.release()
    store.transaction(() => write(store, entry))
  }
}

const endsProcess = ({ process }: JournalEntry): boolean => process !== undefined && process.endedAt !== null
const forgetsActs = (entry: JournalEntry): boolean => endsProcess(entry) || entry.snapshot !== undefined

/** Writes the session and the process before the events, which refer to them. */
function write(store: Store, entry: JournalEntry): void {
  if (entry.sessionRecord !== undefined) {
    if (entry.created === true) store.sessions.add(entry.sessionRecord)
    else store.sessions.save(entry.sessionRecord)
  }
  if (entry.process !== undefined) {
    store.processes.save(entry.process)
  }
  if (entry.events.length > 0) store.events.append(entry.session, entry.events)
  store.acts.append(entry.session, entry.acts ?? [])
  store.usage.save(entry.session, entry.events)
  for (const run of entry.runs ?? []) store.runs.save(run)
  for (const approval of entry.approvals ?? []) store.approvals.save(approval)
  if (entry.checkpoint !== undefined) {
    const { process, offset } = entry.checkpoint
    store.processes.checkpoint(process, offset, entry.events.at(-1)?.seq)
  }
  if (entry.snapshot !== undefined) {
    store.snapshots.save(entry.snapshot)
    store.acts.covered(entry.session, entry.snapshot.acts)
  }
  if (entry.process !== undefined && endsProcess(entry)) {
    store.snapshots.delete(entry.process.id)
    store.acts.forget(entry.session)
  }
  for (const answer of entry.answers ?? []) store.requests.save(answer)
  if (entry.deleted === true) store.sessions.delete(entry.session)
}
