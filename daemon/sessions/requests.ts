import { nanoid } from 'nanoid'
import { limits } from '../../protocol/limits.ts'
import type { ClaudeProcess } from '../agents/claude/claude-process.ts'
import type { Answer } from '../agents/agent.ts'

/** Marks the requests that carry permission rules, so that the next daemon recognises their answers. */
export const rulesRequest = 'rules'

/** What muxd asks of a live process and waits for the answer to. */
export interface Requests {
  /**
   * Resolves with the answer, or with undefined when the process has ended without one. Rejects with `Unanswered` when
   * none has come in time. The request's id begins with `kind`.
   */
  make(claude: ClaudeProcess, line: (requestId: string) => string, kind?: string): Promise<Answer | undefined>
  /** Takes an answer of Claude Code's to whoever waits for it; false when nobody does. */
  answered(answer: Answer): boolean
  /** Nothing more will come from the process that was there. */
  ended(): void
  /** Nothing is asked any more. */
  stop(): void
}

export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

export function createRequests(timeoutMs: number = limits.updateTimeoutMs): Requests {
  const waiting = new Map<string, (answer: Answer | undefined) => void>()
  let stopped = false
  const ended = () => {
    for (const resolve of [...waiting.values()]) resolve(undefined)
  }
  return {
    make(claude, line, kind = 'request') {
      if (stopped) return Promise.resolve(undefined)
      const requestId = `${kind}-${nanoid(8)}`
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(requestId)
          reject(new Unanswered(`Claude Code did not answer within ${timeoutMs / 1_000} s`))
        }, timeoutMs)
        waiting.set(requestId, answer => {
          clearTimeout(timer)
          waiting.delete(requestId)
          resolve(answer)
        })
        claude.send(line(requestId), requestId)
      })
    },
    answered(answer) {
      const resolve = waiting.get(answer.requestId)
      resolve?.(answer)
      return resolve !== undefined
    },
    ended,
    stop() {
      stopped = true
      ended()
    },
  }
}
