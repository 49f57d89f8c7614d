import type { HelloResult } from '../../protocol/index.ts'
import { type Approvals, createApprovals } from './approvals.ts'
import { type ClientApi, createApi } from './api.ts'
import type { ConnectOptions, Platform } from './platform.ts'
import { type ConnectionState, createLink } from './reconnect.ts'
import { attachRun, type RunHandle, type RunOptions, type StartedRun, startRun } from './run.ts'
import { createTopics, type Subscribe } from './topics.ts'

/** One program's connection to the daemon, made again whenever it breaks. */
export interface Mux {
  readonly state: ConnectionState
  /** What the daemon said of itself and of this client at the last `hello`. */
  readonly hello: HelloResult | undefined
  /** Resolves once the first connection stands; rejects with why it never will. */
  readonly opened: Promise<void>
  /** Every method, typed from the protocol's table. */
  readonly api: ClientApi
  /** Starts a run; a lost answer starts nothing twice. */
  run(options: RunOptions): Promise<StartedRun>
  /** A handle on a run that may have been started by anyone. */
  attach(run: string): RunHandle
  subscribe: Subscribe
  /** What Claude Code asks and nobody has answered, as it comes. */
  approvals: Approvals
  /** Called at each change, with why when it is for the worse. Returns the unsubscribe function. */
  onState(handler: (state: ConnectionState, why?: Error) => void): () => void
  /** Ends the connection: waiting calls and iterations reject. Runs go on. */
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
