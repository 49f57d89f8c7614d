import { connect, type ConnectOptions, type Mux, RpcError, Unavailable } from '../../client/sdk/index.ts'
import type { Random } from '../support/random.ts'

/** What the workers of a soak share. */
export interface World {
  readonly home: string
  /** Working directory of the sessions. */
  readonly cwd: string
  readonly random: Random
  /** Existing sessions with their followers. */
  readonly sessions: Map<string, Follower[]>
  /** How often each thing was done, by name. */
  readonly counts: Map<string, number>
  /** What went wrong. The soak continues to its end and then fails. */
  readonly faults: string[]
  /** What each worker is doing, for the report about a worker that does not finish. */
  readonly doing: Map<object, string>
  /** The round is over: workers begin nothing new. */
  isEnding: boolean
}

/**
 * Follows a session from some position on, as real clients do: it stalls, unsubscribes and subscribes again,
 * disconnects and connects again. In the end it must have received the log from its first position on, each event once.
 */
export interface Follower {
  /** The `seq` of the last event received; undefined when the session no longer exists. */
  readonly place: number | undefined
  /** Throws unless the received events are those of `log`. */
  check(log: readonly object[]): void
  leave(): Promise<void>
}

export const count = ({ counts }: Pick<World, 'counts'>, what: string, amount = 1): void =>
  void counts.set(what, (counts.get(what) ?? 0) + amount)

const timing: ConnectOptions['timing'] = { retryMinMs: 50, retryMaxMs: 500 }

export const connectTo = (home: string, name: string): Promise<Mux> =>
  connect({ home, client: { name, version: '1' }, patient: true, timing })

/** Whether a worker may get this error, because others close and delete sessions while the daemon comes and goes. */
export function isExpected(error: unknown): boolean {
  if (error instanceof Unavailable) return true
  return error instanceof RpcError && expected.has(error.kind)
}

const expected = new Set<RpcError['kind']>(['not_found', 'conflict', 'overloaded'])
