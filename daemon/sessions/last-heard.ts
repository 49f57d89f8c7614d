import type { EventBody } from '../../protocol/index.ts'
import { hear, type LastHeardState, whatWasHeard } from './machine/last-heard.ts'

export type { LastHeardState } from './machine/last-heard.ts'

/** What a process said last, in a word: the tool that runs, else the type of its last event. */
export interface LastHeard {
  readonly what: string
  heard(body: EventBody): void
  /** All that it remembers. */
  state: LastHeardState
  /** Another process begins to print. */
  reset(): void
}

export function createLastHeard(): LastHeard {
  let state: LastHeardState = { running: new Map(), type: 'run_started' }
  return {
    get what() {
      return whatWasHeard(state)
    },
    heard: body => hear(state, body),
    get state() {
      return state
    },
    set state(next) {
      state = next
    },
    reset() {
      state.running.clear()
    },
  }
}
