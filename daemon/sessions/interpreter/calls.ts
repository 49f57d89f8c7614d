import type { Session } from '../../../protocol/index.ts'
import type { KeepAnswer } from '../../rpc/idempotency.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import type { KeptAnswer } from '../../store/store.ts'
import type { CallError, CallResult, Effect } from '../machine/effect.ts'

/** The calls of clients that a session has not answered. */
export interface Calls {
  /**
   * Opens a call, whose number `post` gives to the machine. `keep`: the answer is stored with the changes of the call.
   */
  open<Answer>(post: (call: number) => void, keep?: KeepAnswer): Promise<Answer>
  /** Marks a call as taken by the machine. A restoration loses its changes and rejects it. */
  taken(call: number): void
  /**
   * Removes a call and returns it. The caller answers it, or rejects it if its entry fails. `rejectTaken` and
   * `rejectAll` do not concern it any more.
   */
  close(call: number): Call | undefined
  /** Rejects the calls that the machine has taken. */
  rejectTaken(error: unknown): void
  rejectAll(error: unknown): void
  readonly isEmpty: boolean
}

export interface Call {
  resolve(answer: unknown): void
  reject(error: unknown): void
  keep: KeepAnswer | undefined
}

export function createCalls(): Calls {
  const open = new Map<number, Call & { isTaken: boolean }>()
  let newest = 0

  function rejectWhere(which: (call: { isTaken: boolean }) => boolean, error: unknown) {
    for (const [number, call] of [...open]) {
      if (!which(call)) continue
      open.delete(number)
      call.reject(error)
    }
  }

  return {
    open<Answer>(post: (call: number) => void, keep?: KeepAnswer) {
      newest += 1
      const number = newest
      return new Promise<Answer>((resolve, reject) => {
        open.set(number, { resolve: resolve, reject, keep, isTaken: false })
        post(number)
      })
    },
    taken(number) {
      const call = open.get(number)
      if (call) call.isTaken = true
    },
    close(number) {
      const call = open.get(number)
      open.delete(number)
      return call
    },
    rejectTaken: error => rejectWhere(({ isTaken }) => isTaken, error),
    rejectAll: error => rejectWhere(() => true, error),
    get isEmpty() {
      return open.size === 0
    },
  }
}

/** An answer that waits for its entry. */
export interface Due {
  call: Call
  after: 'commit' | 'published'
  /** Either the answer or the error. */
  answer?: unknown
  error?: CallError
}

/** Removes the calls that these effects answer, and returns their answers. `record` returns the current record. */
export function dueAnswers(calls: Calls, effects: readonly Effect[], record: () => Session): Due[] {
  return effects.flatMap((effect): Due[] => {
    if (effect.effect !== 'answer' && effect.effect !== 'refuse') return []
    const call = calls.close(effect.call)
    if (!call) return []
    if (effect.effect === 'refuse') return [{ call, after: 'commit', error: effect.error }]
    return [{ call, after: effect.after, answer: answerOf(effect.result, record) }]
  })
}

function answerOf(result: CallResult, record: () => Session): unknown {
  if ('run' in result) return result.run
  if ('approval' in result) return result.approval
  return 'ended' in result ? result.ended : record()
}

export const callError = ({ kind, message, details }: CallError): RpcError => new RpcError(kind, message, details)

export function settle({ call, answer, error }: Due): void {
  if (error) call.reject(callError(error))
  else call.resolve(answer)
}

/**
 * Returns the answers to store with an entry. Leaves out errors, and null for something not found: its caller gets an
 * error.
 */
export const keptAnswers = (due: readonly Due[]): KeptAnswer[] =>
  due.flatMap(({ call, answer, error }) =>
    call.keep && !error && answer !== null && answer !== undefined ? [call.keep(answer)] : [],
  )
