import type { Mux, Run, Session } from '../../sdk/browser.ts'
import { followCollection } from '../../sdk/collection.ts'
import { headOf, readActiveRuns } from '../read-lists.ts'

/** A live copy of a session's record and of its runs that have not ended. */
export interface SessionRecord {
  readonly session: Session | undefined
  readonly running: Run | undefined
  /** In the order in which they will be started. */
  readonly queued: readonly Run[]
  close(): void
}

export function createSessionRecord(mux: Mux, id: string, onChange: () => void): SessionRecord {
  const stop = new AbortController()
  const { signal } = stop
  const runs = new Map<string, Run>()
  let session: Session | undefined

  async function list(): Promise<void> {
    const [record, active] = await Promise.all([
      mux.api.session.get({ session: id }, { signal }),
      readActiveRuns(mux.api, { session: id }, signal),
    ])
    session = record
    runs.clear()
    for (const run of active) runs.set(run.run, run)
    onChange()
  }

  followCollection({
    connection: mux,
    subscribe: mux.subscribe,
    topic: 'sessions',
    head: () => headOf(mux, 'sessions', signal),
    list,
    change(event) {
      if (event.type === 'session_changed' && event.session.session === id) session = event.session
      else if (event.type === 'run_changed' && event.run.session === id) {
        if (event.run.endedAt === null) runs.set(event.run.run, event.run)
        else runs.delete(event.run.run)
      } else return
      onChange()
    },
    signal,
  }).catch(() => {
    // The event window fails for the same reason and shows it.
  })

  const inState = (...states: Run['state'][]) => [...runs.values()].filter(run => states.includes(run.state))
  return {
    get session() {
      return session
    },
    get running() {
      return inState('running', 'cancelling')[0]
    },
    get queued() {
      return inState('queued').sort((one, two) => (one.position ?? 0) - (two.position ?? 0))
    },
    close: () => stop.abort(),
  }
}
