import type { Mux, Run, Session } from '../../browser.ts'

/** A session's record, and its runs that have not ended, kept as they are. */
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
    session = await mux.api.session.get({ session: id }, { signal })
    runs.clear()
    for (const state of ['queued', 'running', 'cancelling'] as const) {
      const page = await mux.api.run.list({ session: id, state }, { signal })
      for (const run of page.runs) runs.set(run.run, run)
    }
    onChange()
  }

  async function follow(): Promise<void> {
    const changes = mux.subscribe('sessions', { signal })
    // Asked for behind the subscription: what changes in between comes as a change.
    const ask = () => {
      const step = changes.next()
      // It fails also when nobody waits for it, because listing has failed.
      step.catch(() => {})
      return step
    }
    let next = ask()
    await list()
    for (let step = await next; !step.done; step = await next) {
      const change = step.value
      next = ask()
      if (change.type === 'gap') await list()
      else if (change.type === 'session_changed' && change.session.session === id) session = change.session
      else if (change.type === 'run_changed' && change.run.session === id) {
        if (change.run.endedAt === null) runs.set(change.run.run, change.run)
        else runs.delete(change.run.run)
      } else continue
      onChange()
    }
  }

  follow().catch(() => {
    // The feed tells why: it fails of the same cause.
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
