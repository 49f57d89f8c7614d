import { batch, type ReadonlySignal, signal } from '@preact/signals'
import type { Approval, ClientApi, Mux, Run, Session } from '../sdk/browser.ts'
import { followCollection, readPages } from '../sdk/collection.ts'
import { headOf, readActiveRuns } from './read-lists.ts'
import { applyChange, emptyRecords, keepApproval, keepRun, type RecordsState } from './records-state.ts'

/** The records of the daemon as signals. */
export interface Records {
  /** False until the lists have been read for the first time. */
  loaded: ReadonlySignal<boolean>
  sessions: ReadonlySignal<ReadonlyMap<string, Session>>
  /** Runs that have not ended, by session: the active run first, then the queue in order. */
  active: ReadonlySignal<ReadonlyMap<string, readonly Run[]>>
  /** The latest ended run of each session. */
  ended: ReadonlySignal<ReadonlyMap<string, Run>>
  /** The pending approvals, oldest first. */
  approvals: ReadonlySignal<readonly Approval[]>
  /** The database's epoch. A new one means that events already shown may be lost. */
  epoch: ReadonlySignal<string | undefined>
}

const pageSize = 500
/** Number of latest runs that are read for the outcomes of ended runs. */
const recentRuns = 500

/** Reads the lists and follows the topic `sessions` until the connection is closed. */
export function followRecords(mux: Mux, onProblem: (error: unknown) => void): Records {
  const { api } = mux
  let state = emptyRecords()
  const loaded = signal(false)
  const sessions = signal<ReadonlyMap<string, Session>>(new Map())
  const active = signal<ReadonlyMap<string, readonly Run[]>>(new Map())
  const ended = signal<ReadonlyMap<string, Run>>(new Map())
  const approvals = signal<readonly Approval[]>([])
  const epoch = signal<string | undefined>()

  const show = () =>
    batch(() => {
      sessions.value = new Map(state.sessions)
      active.value = bySession(state.active.values())
      ended.value = new Map(state.ended)
      approvals.value = [...state.approvals.values()].sort((a, b) => a.requestedAt - b.requestedAt)
    })
  let due = false
  // Show a burst of records once.
  const showSoon = () => {
    if (due) return
    due = true
    setTimeout(() => {
      due = false
      show()
    }, 16)
  }

  const load = async () => {
    const next = await readLists(api)
    state = next
    epoch.value = await databaseEpoch(mux, next)
    show()
    // Set this last: a session that is not shown yet would seem to be deleted.
    loaded.value = true
  }

  followCollection({
    connection: mux,
    subscribe: mux.subscribe,
    topic: 'sessions',
    head: () => headOf(mux, 'sessions'),
    list: load,
    change(event) {
      if (applyChange(state, event)) showSoon()
    },
  }).catch(onProblem)
  return { loaded, sessions, active, ended, approvals, epoch }
}

/**
 * Resolves when the record of a session has arrived. The record of a new session comes after the answer to its creator.
 */
export function untilKnown({ sessions }: Records, session: string): Promise<void> {
  return new Promise(resolve => {
    const stop = sessions.subscribe(known => {
      if (!known.has(session)) return
      resolve()
      // If the record is already there, `subscribe` calls this before it returns `stop`.
      queueMicrotask(() => stop())
    })
  })
}

async function readLists(api: ClientApi): Promise<RecordsState> {
  const state = emptyRecords()
  const [sessions, approvals, recent, active] = await Promise.all([
    readSessions(api),
    readApprovals(api),
    api.run.list({ limit: recentRuns }),
    readActiveRuns(api, {}),
  ])
  for (const session of sessions) state.sessions.set(session.session, session)
  // Oldest first, which is their order in the queue.
  for (const run of [...active, ...recent.runs].sort((a, b) => a.firstSeq - b.firstSeq)) keepRun(state, run)
  for (const approval of approvals) keepApproval(state, approval)
  return state
}

const readSessions = (api: ClientApi): Promise<Session[]> =>
  readPages(
    from => api.session.list({ limit: pageSize, ...from }),
    page => page.sessions,
  )

const readApprovals = (api: ClientApi): Promise<Approval[]> =>
  readPages(
    from => api.approval.list(from),
    page => page.approvals,
  )

/** Reads the epoch from the log of any session; undefined if there is no session. */
async function databaseEpoch(mux: Mux, { sessions }: RecordsState): Promise<string | undefined> {
  const [session] = sessions.keys()
  if (session === undefined) return undefined
  const page = await mux.api.topic.read({ topic: `session/${session}`, after: 0, limit: 1 })
  return page.epoch
}

function bySession(runs: Iterable<Run>): Map<string, Run[]> {
  const map = new Map<string, Run[]>()
  for (const run of runs) {
    const others = map.get(run.session)
    if (others) others.push(run)
    else map.set(run.session, [run])
  }
  // A run that was moved in the queue has a new position.
  for (const list of map.values()) list.sort((a, b) => placeOf(a) - placeOf(b) || a.firstSeq - b.firstSeq)
  return map
}

const placeOf = ({ position }: Run) => position ?? -1
