import { createHash } from 'node:crypto'
import type { KeptAnswer, RequestTable } from '../store/store.ts'
import { RpcError } from './rpc-error.ts'

/**
 * Makes calls with a `key` idempotent. The first call is made; every later one with the same method and params gets its
 * answer, also while the first is still under way. A call with another method or other params gets `conflict`. A call
 * that failed leaves nothing behind: its key may be used again.
 */
export interface Idempotency {
  run(call: { method: string; key: string; params: object }, make: (keep: KeepAnswer) => unknown): Promise<unknown>
}

/**
 * Converts a call's answer to the form in which it is stored. The handler stores it in the same transaction as what the
 * call did; otherwise a daemon that is killed in between would do it again when the call is repeated.
 */
export type KeepAnswer = (answer: object) => KeptAnswer

export function createIdempotency(requests: Pick<RequestTable, 'get'>, now: () => number): Idempotency {
  const underWay = new Map<string, { method: string; paramsHash: string; answer: Promise<unknown> }>()

  return {
    async run({ method, key, params }, make) {
      const paramsHash = hashOf(params)
      const earlier = underWay.get(key) ?? requests.get(key)
      if (earlier !== undefined) {
        if (earlier.method !== method || earlier.paramsHash !== paramsHash) throw reused(key, earlier.method)
        return typeof earlier.answer === 'string' ? (JSON.parse(earlier.answer) as unknown) : earlier.answer
      }
      let kept = false
      const keep: KeepAnswer = answer => {
        kept = true
        return { key, method, paramsHash, answer: JSON.stringify(answer), time: now() }
      }
      // Entered before the first await, so that no second call with this key can come in between.
      const answer = (async () => make(keep))()
      underWay.set(key, { method, paramsHash, answer })
      try {
        const result = await answer
        if (!kept) throw new Error(`${method} takes a key and kept no answer`)
        return result
      } finally {
        underWay.delete(key)
      }
    },
  }
}

const reused = (key: string, method: string) =>
  new RpcError('conflict', `the key ${JSON.stringify(key)} was used for another call (${method})`, { key })

// Hashes everything but the key, with sorted names: the order in which a client writes its params has no meaning.
function hashOf({ key: _, ...params }: { key?: unknown }): string {
  const sorted = (_name: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return createHash('sha256').update(JSON.stringify(params, sorted)).digest('hex')
}
