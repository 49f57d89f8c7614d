import type { EventBody } from '../../../../protocol/index.ts'
import { keepNewest } from '../../../keep-newest.ts'

/** The latest signs of life of a process. */
export interface LastHeardState {
  /** Names of the tools that run, by tool use id. */
  running: Map<string, string>
  type: string
}

export function hear(state: LastHeardState, body: EventBody): void {
  const { running } = state
  state.type = body.type
  if (body.type === 'tool_use') {
    running.set(body.toolUseId, body.tool)
    keepNewest(running)
  } else if (body.type === 'tool_result') running.delete(body.toolUseId)
  else if (body.type === 'done' || body.type === 'failed') running.clear()
}

/** Returns one word: the newest tool that runs, else the type of the last event. */
export const whatWasHeard = ({ running, type }: LastHeardState): string => [...running.values()].at(-1) ?? type
