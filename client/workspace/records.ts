import { batch, type ReadonlySignal, signal } from '@preact/signals'
import type { Approval, ClientApi, Mux, Run, Session } from '../sdk/browser.ts'
import { followCollection, readPages } from '../sdk/collection.ts'
import { headOf, readActiveRuns } from './read-lists.ts'
import { applyChange, emptyRecords, keepApproval, keepRun, type RecordsState } from './records-state.ts'

/** The records of the daemon as signals, for every block. */
export interface Records {
  /** False until the lists have been read for the first time. */
  loaded: ReadonlySignal<boolean>
  sessions: ReadonlySignal<ReadonlyMap<string, Session>>
  /** What is queued or goes on, by session, in the order in which it was asked for. */
  active: ReadonlySignal<ReadonlyMap<string, readonly Run[]>>
  /** The latest run of a session that has ended. */
  ended: ReadonlySignal<ReadonlyMap<string, Run>>
  /** What waits for an answer, oldest first. */
  approvals: ReadonlySignal<readonly Approval[]>
  /** The database's epoch: another one means that events which were shown may be gone. */
  epoch: ReadonlySignal<string | undefined>
}

const pageSize = 500
/** How far back the outcomes of ended runs are looked up. */
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
  // A burst of records is shown once.
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
    // Not before: a session that is not shown yet would seem to be deleted.
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

/** Resolves when the record of a session is there: that of a new one comes behind the answer to who began it. */
export function untilKnown({ sessions }: Records, session: string): Promise<void> {
  return new Promise(resolve => {
    const stop = sessions.subscribe(known => {
      if (!known.has(session)) return
      resolve()
      // It may be there at once, before there is anything to stop.
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
  // Oldest first: that is their order in a queue.
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

/** Any session's log tells it; undefined where there is none. */
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
  // One that was moved in the queue has its new place told.
  for (const list of map.values()) list.sort((a, b) => placeOf(a) - placeOf(b) || a.firstSeq - b.firstSeq)
  return map
}

const placeOf = ({ position }: Run) => position ?? -1
