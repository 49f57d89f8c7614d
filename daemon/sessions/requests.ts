import { nanoid } from 'nanoid'
import { limits } from '../../protocol/limits.ts'
import type { ClaudeProcess } from '../claude/claude-process.ts'
import type { Control } from '../claude/turn.ts'

export type Answer = Extract<Control, { kind: 'response' }>

/** What muxd asks of a live process and waits for the answer to. */
export interface Requests {
  /**
   * Resolves with the answer, or with undefined when the process has ended without one. Rejects with `Unanswered` when
   * none has come in time.
   */
  make(claude: ClaudeProcess, line: (requestId: string) => string): Promise<Answer | undefined>
  /** An answer of Claude Code's, whoever waits for it. */
  answered(answer: Answer): void
  /** Nothing more will come. */
  ended(): void
}

export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

export function createRequests(timeoutMs: number = limits.updateTimeoutMs): Requests {
  const waiting = new Map<string, (answer: Answer | undefined) => void>()
  return {
    make(claude, line) {
      const requestId = `request-${nanoid(8)}`
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
    answered: answer => waiting.get(answer.requestId)?.(answer),
    ended() {
      for (const resolve of [...waiting.values()]) resolve(undefined)
    },
  }
}
