import type { EventBody } from '../../protocol/index.ts'

/** What a process said last, in a word: the tool that runs, else the type of its last event. */
export interface LastHeard {
  readonly what: string
  heard(body: EventBody): void
  /** Another process begins to print. */
  reset(): void
}

export function createLastHeard(): LastHeard {
  const running = new Map<string, string>()
  let type: string = 'run_started'
  return {
    get what() {
      return [...running.values()].at(-1) ?? type
    },
    heard(body) {
      type = body.type
      if (body.type === 'tool_use') running.set(body.toolUseId, body.tool)
      else if (body.type === 'tool_result') running.delete(body.toolUseId)
      else if (body.type === 'done' || body.type === 'failed') running.clear()
    },
    reset() {
      running.clear()
    },
  }
}
