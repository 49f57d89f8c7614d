import type {
  AgentChoice,
  ApprovalOptions,
  CancelMode,
  Event,
  EventOf,
  Run,
  RunLimits,
  RunResult,
} from '../../protocol/index.ts'
import { type TerminalType, terminalTypes } from '../../protocol/wire.ts'
import type { ClientApi } from './api.ts'
import { RunCancelled, RunFailed, RunInterrupted } from './errors.ts'
import { iterate } from './iterate.ts'
import { randomKey } from './random-key.ts'
import type { Gap } from './reader.ts'
import type { CallOptions, Link } from './reconnect.ts'
import type { Subscribe } from './topics.ts'

/**
 * A handle on a run that this or another client started. Dropping the handle does not end the run.
 *
 * All methods reject with `RpcError`, the signal's reason, or the error that closed the connection.
 */
export interface RunHandle {
  readonly id: string
  /** Reads the current record. */
  info(options?: CallOptions): Promise<Run>
  /**
   * Iterates over the run's events, from the first to the terminal one. A `gap` stands for events that are no longer
   * available. Each call begins a new iteration. `window` is in bytes, as in `SubscribeOptions`.
   */
  events(options?: CallOptions & { window?: number }): AsyncIterableIterator<Event | Gap>
  /** Resolves with the record when the run has ended, or with the current record after `timeoutMs`. */
  wait(options?: CallOptions & { timeoutMs?: number }): Promise<Run>
  /** Requests the end of the run. Call it again with a stronger `mode` to escalate. Other clients see the reason. */
  cancel(reason?: string, options?: CallOptions & { mode?: CancelMode }): Promise<Run>
  /**
   * Resolves when the run is done. Rejects with `RunFailed`, `RunCancelled` or `RunInterrupted` if it ends otherwise.
   */
  result(options?: CallOptions): Promise<RunResult>
}

export interface StartedRun extends RunHandle {
  readonly session: string
}

/** A prompt for an existing `session`, or for a new one in the directory `cwd`. */
export type RunOptions = {
  prompt: string
  /** The idempotency key: calls with the same key and options return the same run. Default: a new key for each call. */
  key?: string | undefined
  /** Limits that end the run as `failed`. */
  limits?: RunLimits | undefined
  /** Aborts the call, not the run. */
  signal?: AbortSignal | undefined
} & (
  | { session: string; cwd?: never }
  | ({
      session?: never
      cwd: string
      title?: string
      labels?: Record<string, string>
      approvals?: ApprovalOptions
    } & AgentChoice)
)

export interface Runner {
  link: Link
  api: ClientApi
  subscribe: Subscribe
  absolute: (path: string) => string
}

export async function startRun(runner: Runner, options: RunOptions): Promise<StartedRun> {
  const { prompt, session, cwd, signal, limits, key = randomKey(), ...spec } = options
  const target = cwd === undefined ? { session } : { create: { ...spec, cwd: runner.absolute(cwd) } }
  const run = await runner.api.run.start({ ...target, prompt, ...(limits && { limits }), key }, { signal })
  return { ...attachRun(runner, run.run, run), session: run.session }
}

/** Returns a handle on a run. `known` is an earlier record, which saves a call for fields that never change. */
export function attachRun({ link, subscribe }: Runner, id: string, known?: Run): RunHandle {
  const again = (method: string, params: object, { signal }: CallOptions) =>
    link.call(method, params, { signal, repeatable: true })
  const info = (options: CallOptions = {}) => again('run.get', { run: id }, options) as Promise<Run>

  const wait: RunHandle['wait'] = ({ timeoutMs, signal } = {}) =>
    again('run.wait', { run: id, timeoutMs }, { signal }) as Promise<Run>

  async function* follow(signal: AbortSignal, window: number | undefined) {
    const { session, firstSeq } = known ?? (await info({ signal }))
    for await (const event of subscribe(`session/${session}`, { since: { seq: firstSeq - 1 }, signal, window })) {
      if (event.type === 'gap') {
        yield event
        // The terminal event may lie in the gap; then no further event of the run follows.
        const { lastSeq } = await info({ signal })
        if (lastSeq && lastSeq <= event.to) return
      } else if (event.run === id) {
        yield event
        if (terminalTypes.includes(event.type as TerminalType)) return
      }
    }
  }

  return {
    id,
    info,
    wait,
    events: ({ signal, window } = {}) => iterate(signal, stop => follow(stop, window)),
    cancel: (reason, { mode, signal } = {}) =>
      again('run.cancel', { run: id, reason, mode }, { signal }) as Promise<Run>,
    async result(options = {}) {
      let run: Run
      do run = await wait(options)
      while (!run.result)
      const { result, session, lastSeq, state } = run
      if (state === 'done') return result
      const { response, failure } = result
      const ended = { run: id, response }
      if (failure) throw new RunFailed({ ...ended, failure })
      const place = { topic: `session/${session}`, after: lastSeq! - 1, limit: 1 }
      const { events } = (await again('topic.read', place, options)) as { events: Partial<EventOf<'cancelled'>>[] }
      const { by, reason } = events[0] ?? {}
      throw state === 'cancelled'
        ? new RunCancelled({ ...ended, by, reason })
        : new RunInterrupted({ ...ended, reason })
    },
  }
}
