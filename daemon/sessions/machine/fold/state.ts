import type { Approval, RunLimits, Session } from '../../../../protocol/index.ts'
import type { BackgroundTask, Decoder, Launch, QuestionAnswer, Reply } from '../../../agents/agent.ts'
import type { LastHeardState } from './last-heard.ts'
import type { LiveRun, StoredRun } from './live-run.ts'

/** Raised when this type changes. A snapshot of another version cannot be read. */
export const stateVersion = 1

/**
 * The durable half of a session: plain data that `v8.serialize` can copy, so a snapshot is this object. Only the fold
 * (`apply.ts`, `output.ts`) changes it.
 */
export interface SessionState {
  version: typeof stateVersion
  session: SessionRecord
  /** A client closed the session, and no run was queued or begun since. */
  closed: boolean
  /** `seq` of the newest event. */
  head: number
  /** Number of the newest act. */
  acts: number
  /** Runs that wait, in order. Their `position` and `waitingFor` are projections. */
  queue: readonly StoredRun[]
  /** The run whose prompt the agent has or will get. */
  active: LiveRun | null
  /** The run of a turn that the agent began itself. */
  background: LiveRun | null
  process: ProcessState | null
  /** Questions without an answer, in the order in which they were asked. */
  open: readonly StoredApproval[]
  /** Request ids of all questions of this process, answered ones too: a repeated question is the same approval. */
  known: Set<string>
  /** Answers that the agent may not have received. */
  answered: readonly AnsweredQuestion[]
}

/** The wire record without the fields that follow from the rest. */
export type SessionRecord = Omit<Session, 'state' | 'head' | 'updatedAt' | 'process'>

export interface ProcessState {
  id: string
  nonce: string
  /** The run that it was started for, with the limits of that run. */
  run: string
  limits?: RunLimits
  launch: Launch
  /** It ends with its run, whose outcome is held until then. Fixed at its start, even if the configuration changes. */
  oneShot: boolean
  /** Raw log offset up to which its output was applied. */
  offset: number
  decoder: Decoder
  /** It has printed something other than questions and answers to requests. */
  spoke: boolean
  tasks: readonly BackgroundTask[]
  /** The kind of the next turn that the agent begins itself. */
  cause: string | undefined
  begunAt: number | undefined
  lastLineAt: number | undefined
  /** The agent has this conversation on disk. */
  kept: boolean
  /** It has named the prompt of a turn. From then on, a turn that names no prompt is the agent's own. */
  namesPrompts: boolean
  /** It has answered a request that carried permission rules. */
  wasGivenRules: boolean
  /** Replies to requests that the agent may not have received. The end of a run clears them. */
  replies: readonly Reply[]
  heard: LastHeardState
}

/** A question as it is stored. */
export interface StoredApproval {
  approval: Approval
  /** The process that asks, and the id of its request. */
  process: string
  requestId: string
  /** The answer for the agent as JSON; null while the question is open, and if it was withdrawn. */
  answer: string | null
}

export interface AnsweredQuestion {
  approval: string
  /** The run with whose end the answer expires; null if it expires with the process. */
  run: string | null
  requestId: string
  toolUseId: string
  /** The input that the question is about. */
  input: unknown
  /** Null if the session withdrew the question. */
  answer: QuestionAnswer | null
}

/** Returns the state of a session without a process, from its stored records. */
export function restState(stored: Session, queue: readonly StoredRun[] = []): SessionState {
  const { state, head, updatedAt: _, process: __, ...session } = stored
  return {
    version: stateVersion,
    session,
    closed: state === 'closed',
    head,
    acts: 0,
    queue,
    active: null,
    background: null,
    process: null,
    open: [],
    known: new Set(),
    answered: [],
  }
}

/** Returns the run that output belongs to. */
export const currentRun = (s: SessionState): LiveRun | null => s.background ?? s.active

export const idOf = (run: LiveRun | null): string | null => run?.stored.run.run ?? null

/** Returns the run with this id if it has left the queue and has not ended. */
export const goingRun = (s: SessionState, id: string | null): LiveRun | undefined =>
  id === null ? undefined : ([s.active, s.background].find(run => run?.stored.run.run === id) ?? undefined)

export const queuedRunOf = (s: SessionState, id: string): StoredRun | undefined =>
  s.queue.find(({ run }) => run.run === id)

export const isWorking = (s: SessionState): boolean => s.active !== null || s.background !== null
