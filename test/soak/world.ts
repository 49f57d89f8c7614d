import { connect, type ConnectOptions, type Mux, RpcError, Unavailable } from '../../client/sdk/index.ts'
import type { Follower } from './follower.ts'
import type { Random } from '../support/random.ts'

/** What the workers of a soak share. */
export interface World {
  readonly home: string
  /** Where sessions work. */
  readonly cwd: string
  readonly random: Random
  /** Sessions that are there, with those who follow them. */
  readonly sessions: Map<string, Follower[]>
  /** What was done, by name. */
  readonly counts: Map<string, number>
  /** What must not be. The soak goes on to its end and then fails. */
  readonly faults: string[]
  /** What each worker is at, to be told where one does not come to its end. */
  readonly doing: Map<object, string>
  /** The round's work is over: nothing new is begun. */
  isEnding: boolean
}

export const count = ({ counts }: Pick<World, 'counts'>, what: string, amount = 1): void =>
  void counts.set(what, (counts.get(what) ?? 0) + amount)

const timing: ConnectOptions['timing'] = { retryMinMs: 50, retryMaxMs: 500 }

export const connectTo = (home: string, name: string): Promise<Mux> =>
  connect({ home, client: { name, version: '1' }, patient: true, timing })

/** What may be said to one who works while others close and delete sessions, and the daemon comes and goes. */
export function isExpected(error: unknown): boolean {
  if (error instanceof Unavailable) return true
  return error instanceof RpcError && expected.has(error.kind)
}

const expected = new Set<RpcError['kind']>(['not_found', 'conflict', 'overloaded'])
