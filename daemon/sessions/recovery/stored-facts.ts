import type { Session } from '../../../protocol/index.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import type { Store, StoredApproval, StoredProcess, StoredRun } from '../../store/store.ts'
import type { Act } from '../machine/fold/act.ts'
import { beginProcess } from '../machine/fold/process-record.ts'
import { resumeRun } from '../machine/fold/live-run.ts'
import type { Records } from '../machine/project.ts'
import { restState, type SessionState } from '../machine/fold/state.ts'

/** The stored records of a session. */
export interface StoredFacts {
  record: Session
  /** Runs without a terminal event, oldest first. */
  unfinished: readonly StoredRun[]
  /** The live process: the one without an end. */
  row: StoredProcess | undefined
  /** All questions of that process, oldest first. */
  asked: readonly StoredApproval[]
  /** `seq` of the newest event, and the number of the newest act. */
  head: number
  acts: number
}

/** Reads the facts of a session; undefined if it is not stored. */
export function readFacts(store: Store, session: string): StoredFacts | undefined {
  const record = store.sessions.get(session)
  if (!record) return undefined
  const unfinished = store.runs.unfinished().filter(({ run }) => run.session === session)
  return factsOf(
    store,
    record,
    unfinished,
    store.processes.live().findLast(each => each.session === session),
  )
}

export function factsOf(
  store: Store,
  record: Session,
  unfinished: readonly StoredRun[],
  row: StoredProcess | undefined,
): StoredFacts {
  const { session } = record
  return {
    record,
    unfinished,
    row,
    asked: row ? store.approvals.ofProcess(row.id) : [],
    head: store.events.bounds(session).head,
    acts: store.acts.bounds(session).newest,
  }
}

/**
 * Returns the queued runs in the order of the queue. Runs of an older muxd have no positions, and stay in order of age.
 */
export const queuedOf = ({ unfinished }: Pick<StoredFacts, 'unfinished'>): StoredRun[] =>
  unfinished
    .filter(({ run }) => run.state === 'queued')
    .toSorted((one, other) => (one.run.position ?? 0) - (other.run.position ?? 0))

/** Returns the state according to the tables alone, without the output of the process. */
export function stateOfFacts(agent: AgentCodec, facts: StoredFacts): SessionState {
  const s = restState(facts.record, queuedOf(facts))
  s.head = facts.head
  s.acts = facts.acts
  if (facts.row) {
    const begun = begunOf(facts.row, runOf(facts))
    beginProcess(agent, s, { ...begun, n: facts.acts, time: facts.row.startedAt, at: null })
  }
  for (const stored of facts.unfinished) {
    if (stored.run.state === 'queued') continue
    if (stored.promptUuid === null) s.background = resumeRun(stored)
    else s.active = resumeRun(stored)
  }
  s.open = facts.asked.filter(({ approval }) => approval.state === 'pending')
  s.known = new Set(facts.asked.map(({ requestId }) => requestId))
  return s
}

const runOf = ({ unfinished }: StoredFacts): StoredRun | undefined =>
  unfinished.find(({ run, promptUuid }) => run.state !== 'queued' && promptUuid !== null)

/** Returns the first act of a process whose acts are not kept. */
export const begunOf = (row: StoredProcess, run: StoredRun | undefined): Extract<Act, { act: 'process_begun' }> => ({
  act: 'process_begun',
  process: row.id,
  nonce: row.nonce,
  run: run?.run.run ?? '',
  ...(run?.run.limits && { limits: run.run.limits }),
  launch: {
    claudeSessionId: row.conversationIdBefore,
    costUsd: row.costUsdBefore,
    counterUsd: row.counterUsdBefore,
    resumed: row.resumed,
  },
  oneShot: row.oneShot,
})

/** The records of a session that is at work. */
export const recordsOf = ({ record, unfinished, asked }: StoredFacts): Records => ({
  session: record,
  runs: new Map(unfinished.map(run => [run.run.run, run])),
  approvals: asked.filter(({ approval }) => approval.state === 'pending'),
})
