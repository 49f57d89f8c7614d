import type { HelloResult } from '../../protocol/index.ts'
import { type Approvals, createApprovals } from './approvals.ts'
import { type ClientApi, createApi } from './api.ts'
import type { ConnectOptions, Platform } from './platform.ts'
import { type ConnectionState, createLink } from './reconnect.ts'
import { attachRun, type RunHandle, type RunOptions, type StartedRun, startRun } from './run.ts'
import { createTopics, type Subscribe } from './topics.ts'

/** One program's connection to the daemon. It reconnects by itself when the connection breaks. */
export interface Mux {
  readonly state: ConnectionState
  /**
   * The daemon's answer to the last `hello`: facts about the daemon and this client. Undefined before the first
   * connection.
   */
  readonly hello: HelloResult | undefined
  /** Resolves when the first connection is open. Rejects with the error that rules a connection out. */
  readonly opened: Promise<void>
  /** Every method of the protocol, typed from its table. */
  readonly api: ClientApi
  /** Starts a run. If the connection breaks before the answer, the call is repeated and starts no second run. */
  run(options: RunOptions): Promise<StartedRun>
  /** Returns a handle on a run of this or another client. Does not check that the run exists. */
  attach(run: string): RunHandle
  subscribe: Subscribe
  /** Iterates over the questions of Claude Code that are open. */
  approvals: Approvals
  /**
   * Calls `handler` at each change of the state, with the error if the connection was lost or closed. Returns the
   * unsubscribe function.
   */
  onState(handler: (state: ConnectionState, why?: Error) => void): () => void
  /** Closes the connection. Pending calls and iterations reject. Runs continue. */
  close(): void
}

export function createMux(platform: Platform, options: ConnectOptions): Mux {
  const link = createLink(platform, options)
  const api = createApi(link)
  const subscribe = createTopics(link)
  const runner = { link, api, subscribe, absolute: platform.absolute }
  return {
    get state() {
      return link.state
    },
    get hello() {
      return link.hello
    },
    opened: link.opened,
    api,
    run: run => startRun(runner, run),
    attach: id => attachRun(runner, id),
    subscribe,
    approvals: createApprovals(link, subscribe),
    onState: link.onState,
    close: () => link.close(),
  }
}
