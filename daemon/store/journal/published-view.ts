import type { Approval, Run, Session } from '../../../protocol/index.ts'
import type { Listed, Store } from '../store.ts'
import type { JournalEntry } from './entry.ts'

/**
 * The records as readers may see them. The records of an entry that waits for a sync are stored already, but are shown
 * as they were before it until it is published, because a power cut could still undo it.
 */
export interface PublishedView {
  /** Undefined for a run that began and ended in entries that still wait. */
  run(stored: Run): Run | undefined
  session(stored: Session): Session
  approval(stored: Approval): Approval
  /** How a list from the store differs from what readers may see; undefined if nothing waits. */
  listed(kind: keyof Records): Listed | undefined
  /** The store's counts, corrected to the states of the runs that readers may see. */
  countRuns(stored: Record<string, number>): Record<string, number>
  /** Resolves when no entry waits any more: of one session, or of each session that has waiting entries now. */
  whenPublished(session?: string): Promise<void>
}

/** The journal's side of the view. */
export interface PublishedViewKeeper extends PublishedView {
  /** Called before the commit of `batch`. Returns the changes of those entries that will wait. */
  changesOf(batch: readonly JournalEntry[]): ReadonlyMap<JournalEntry, Changes>
  /** Called with the committed entries. Entries without `changes` do not wait. */
  hold(committed: readonly JournalEntry[], changes: ReadonlyMap<JournalEntry, Changes>): void
  published(entry: JournalEntry): void
}

interface Records {
  sessions: Session
  runs: Run
  approvals: Approval
}
interface Change<Value> {
  before: Value | undefined
  after: Value
}
type Changes = { [Kind in keyof Records]: Map<string, Change<Records[Kind]>> }
interface Held {
  entry: JournalEntry
  changes: Changes
}

const ended = new Set<string>(['done', 'failed', 'cancelled', 'interrupted'])

export function createPublishedView(
  store: Pick<Store, 'sessions' | 'runs' | 'approvals' | 'events'>,
): PublishedViewKeeper {
  const held = new Map<string, Held[]>()
  const waiters = new Map<string, (() => void)[]>()

  /** The oldest waiting change decides what readers see: the record as it was before this change. */
  function seen<Kind extends keyof Records>(kind: Kind, session: string, id: string, stored: Records[Kind]) {
    const first = held.get(session)?.find(({ changes }) => changes[kind].has(id))
    return first === undefined ? stored : visible(kind, first.changes[kind].get(id)!)
  }

  /** All records of a kind with waiting changes: as readers may see them, and as they are stored. */
  function differing<Kind extends keyof Records>(kind: Kind) {
    const found = new Map<string, { seen: Records[Kind] | undefined; stored: Records[Kind] }>()
    for (const { changes } of [...held.values()].flat()) {
      for (const [id, change] of changes[kind]) {
        found.set(id, { seen: found.has(id) ? found.get(id)!.seen : visible(kind, change), stored: change.after })
      }
    }
    return found
  }

  function headOf(session: string): number {
    const [first] = held.get(session)?.find(({ entry }) => entry.events.length > 0)?.entry.events ?? []
    return first ? first.seq - 1 : store.events.bounds(session).head
  }

  const whenPublished = (session: string): Promise<void> =>
    held.has(session)
      ? new Promise(resolve => void waiters.set(session, [...(waiters.get(session) ?? []), resolve]))
      : Promise.resolve()

  return {
    run: stored => seen('runs', stored.session, stored.run, stored),
    session: stored => ({
      ...(seen('sessions', stored.session, stored.session, stored) ?? stored),
      head: headOf(stored.session),
    }),
    approval: stored => seen('approvals', stored.session, stored.approval, stored) ?? stored,
    listed(kind) {
      if (held.size === 0) return undefined
      const states = [...differing(kind)].map(([id, { seen: record }]) => ({ id, state: record?.state ?? null }))
      return { states }
    },
    countRuns(stored) {
      const counts = { ...stored }
      for (const { seen: run, stored: after } of differing('runs').values()) {
        counts[after.state] = (counts[after.state] ?? 0) - 1
        if (run) counts[run.state] = (counts[run.state] ?? 0) + 1
      }
      return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
    },
    async whenPublished(session) {
      await Promise.all((session === undefined ? [...held.keys()] : [session]).map(whenPublished))
    },

    changesOf(batch) {
      const all = new Map<JournalEntry, Changes>()
      const durable = new Set(held.keys())
      const latest = new Map<string, unknown>()
      for (const entry of batch) {
        if (entry.durable) durable.add(entry.session)
        const waits = durable.has(entry.session)
        const change = <Value>(id: string, after: Value, read: () => Value | undefined): [string, Change<Value>] => {
          const before = latest.has(id) ? (latest.get(id) as Value) : waits ? readable(read) : undefined
          latest.set(id, after)
          return [id, { before, after }]
        }
        const { sessionRecord, runs = [], approvals = [] } = entry
        const changes: Changes = {
          sessions: new Map(
            (sessionRecord ? [sessionRecord] : []).map(after =>
              change(after.session, after, () => store.sessions.get(after.session)),
            ),
          ),
          runs: new Map(runs.map(({ run }) => change(run.run, run, () => store.runs.get(run.run)?.run))),
          approvals: new Map(
            approvals.map(({ approval }) =>
              change(approval.approval, approval, () => store.approvals.get(approval.approval)?.approval),
            ),
          ),
        }
        if (waits) all.set(entry, changes)
      }
      return all
    },
    hold(committed, all) {
      for (const entry of committed) {
        const changes = all.get(entry)
        if (changes) held.set(entry.session, [...(held.get(entry.session) ?? []), { entry, changes }])
      }
    },
    published(entry) {
      const left = held.get(entry.session)?.filter(each => each.entry !== entry)
      if (left === undefined) return
      if (left.length > 0) return void held.set(entry.session, left)
      held.delete(entry.session)
      const resolves = waiters.get(entry.session) ?? []
      waiters.delete(entry.session)
      for (const resolve of resolves) resolve()
    },
  }
}

/**
 * A new record is shown although its entry waits, because its creator knows it already. The end of a run is not shown.
 */
function visible<Kind extends keyof Records>(kind: Kind, { before, after }: Change<Records[Kind]>) {
  return before ?? (kind === 'runs' && ended.has(after.state) ? undefined : after)
}

/** Treats a record that is damaged on the disk as absent: the commit replaces it. */
function readable<Value>(read: () => Value | undefined): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
