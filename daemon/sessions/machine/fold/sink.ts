import type { EventBody } from '../../../../protocol/index.ts'
import type { Answer } from '../../../agents/agent.ts'
import type { StoredRun } from './live-run.ts'
import type { SessionState, StoredApproval } from './state.ts'

/** The origin of an event: the line of a process that ends at `offset`. The event of an act has none. */
export interface Source {
  process: string
  offset: number
}

export interface Emitted {
  seq: number
  run: string | null
  time: number
  body: EventBody
  source: Source | null
}

/** The results of the fold beside the state. Recovery compares the events and ignores the rest. */
export interface Facts {
  events: Emitted[]
  /** Records of runs that ended. */
  ended: StoredRun[]
  /** Records of questions that were resolved. */
  resolved: StoredApproval[]
  /** Answers of the agent to requests. */
  answers: Answer[]
  /** A tool began, went on or ended: it may have started processes. */
  toolBoundary: boolean
}

export const noFacts = (): Facts => ({ events: [], ended: [], resolved: [], answers: [], toolBoundary: false })

/** Collects the facts of the fold of one session. */
export interface Sink {
  readonly facts: Facts
  /** Numbers an event; returns its `seq`. */
  event(body: EventBody, run: string | null, time: number, source?: Source): number
}

export function sinkOf(s: SessionState, facts: Facts): Sink {
  return {
    facts,
    event(body, run, time, source) {
      s.head += 1
      facts.events.push({ seq: s.head, run, time, body, source: source ?? null })
      return s.head
    },
  }
}
