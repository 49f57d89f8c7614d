import type {
  ApprovalOptions,
  CancelMode,
  ClaudeOptions,
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

/** A run, whoever started it. Letting go of it does not end it. */
export interface RunHandle {
  readonly id: string
  /** The record as it is now. */
  info(options?: CallOptions): Promise<Run>
  /** Its events from the first to the terminal one, as often as wanted; a `gap` where some cannot be had. */
  events(options?: CallOptions & { window?: number }): AsyncIterableIterator<Event | Gap>
  /** The record once it has ended, or as it is after `timeoutMs`. */
  wait(options?: CallOptions & { timeoutMs?: number }): Promise<Run>
  /** Asks for its end; again with a stronger `mode` to escalate. Others see the reason. */
  cancel(reason?: string, options?: CallOptions & { mode?: CancelMode }): Promise<Run>
  /** Once it is done; rejects with `RunFailed`, `RunCancelled` or `RunInterrupted` when it ends otherwise. */
  result(options?: CallOptions): Promise<RunResult>
}

export interface StartedRun extends RunHandle {
  readonly session: string
}

/** A prompt for a `session`, or for a new one in `cwd`. */
export type RunOptions = {
  prompt: string
  /** Makes starting idempotent beyond this call: the same key gives the same run. Default: one of this call's own. */
  key?: string | undefined
  /** What ends it when it goes on for too long. */
  limits?: RunLimits | undefined
  /** Ends the starting, not the run. */
  signal?: AbortSignal | undefined
} & (
  | { session: string; cwd?: never }
  | {
      session?: never
      cwd: string
      title?: string
      labels?: Record<string, string>
      claude?: ClaudeOptions
      approvals?: ApprovalOptions
    }
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

/** `known`: the record as it was once, which saves asking for what never changes. */
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
        // Its end may lie in the gap: then nothing more will come.
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
