import type { EventBody } from '../../protocol/index.ts'
import { keepNewest } from '../keep-newest.ts'

/** What a process said last, in a word: the tool that runs, else the type of its last event. */
export interface LastHeard {
  readonly what: string
  heard(body: EventBody): void
  /** All that it remembers. */
  state: LastHeardState
  /** Another process begins to print. */
  reset(): void
}

export interface LastHeardState {
  /** Names of the tools that run, by tool use id. */
  running: Map<string, string>
  type: string
}

export function createLastHeard(): LastHeard {
  let state: LastHeardState = { running: new Map(), type: 'run_started' }
  return {
    get what() {
      return [...state.running.values()].at(-1) ?? state.type
    },
    heard(body) {
      const { running } = state
      state.type = body.type
      if (body.type === 'tool_use') {
        running.set(body.toolUseId, body.tool)
        keepNewest(running)
      } else if (body.type === 'tool_result') running.delete(body.toolUseId)
      else if (body.type === 'done' || body.type === 'failed') running.clear()
    },
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
