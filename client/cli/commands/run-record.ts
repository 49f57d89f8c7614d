import { type Command, Option } from 'commander'
import type { Approval, Failure, Session } from '../../../protocol/index.ts'
import { type CancelMode, type Mux, type Run, Unavailable } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { durationOrZeroOption } from '../command/option-values.ts'
import { howToAnswer } from '../follow/approval-dialog.ts'
import { type ExitCode, exitCodeOf, exitCodeOfEnd, exitCodes, Usage } from '../errors/exit.ts'
import { colorsFor, print, printJson, say } from '../screen/output.ts'
import { reportError } from '../errors/report-error.ts'
import { approvalSummary } from '../render/approval.ts'
import { duration, tokens, usd } from '../render/format.ts'
import { leftLines } from '../render/left.ts'
import { limitsOf, queuedFor, silence, silentAfterMs } from '../render/run-facts.ts'
import { harmless, oneLine } from '../screen/text.ts'
import { whatToDo } from '../render/what-to-do.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareRunRecord(program: Command): void {
  command(program, 'cancel', 'cancel runs')
    .argument('<run...>', 'runs, or sessions for their latest')
    .option('--reason <text>', 'the reason, for everybody who watches')
    .addOption(new Option('--terminate', 'end the process').conflicts('kill'))
    .option('--kill', 'kill the process and everything it started')
    .action(acting(cancel))
  command(program, 'wait', 'wait until runs have ended; exits with the code of the worst end')
    .argument('<run...>', 'runs, or sessions for their latest')
    .addOption(
      new Option('--timeout <duration>', 'give up after this time, with exit code 124').argParser(durationOrZeroOption),
    )
    .action(acting(wait))
  command(program, 'show', 'show the prompt and the answer of a run')
    .argument('<run>', 'a run, or a session for its latest')
    .action(acting(show))
}

/** `muxd cancel`: requests the end of runs; with `--kill` kills their processes at once. */
async function cancel(
  ids: string[],
  options: CommonOptions & { reason?: string; kill?: true; terminate?: true },
): Promise<ExitCode> {
  const mode: CancelMode = options.kill ? 'kill' : options.terminate ? 'terminate' : 'interrupt'
  return withMux(options, { mayStart: true }, (mux, signal) =>
    eachOf(ids, options, async id => {
      const run = await mux.attach(await runId(mux, id)).cancel(options.reason, { mode, signal })
      if (options.json) await printJson(run)
      else say(run.endedAt === null ? `${run.run} is being cancelled` : `${run.run} has ended already: ${run.state}`)
      return exitCodes.done
    }),
  )
}

/**
 * `muxd wait`: waits until all these runs have ended, and prints each as it ends. The exit code describes the run that
 * ended worst.
 */
async function wait(ids: string[], options: CommonOptions & { timeout?: number }): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, (mux, signal) =>
    eachOf(ids, options, async id => {
      const run = await ended(mux, await runId(mux, id), options.timeout, signal)
      if (options.json) await printJson(run)
      else say(`${run.run} ${run.endedAt === null ? `is still ${run.state}` : run.state}`)
      return run.endedAt === null ? exitCodes.timeout : exitCodeOfEnd(run.state)
    }),
  )
}

/**
 * Acts on several runs at once. An error of one is reported and does not stop the others. Returns the worst exit code:
 * a failure, then a timed-out wait, then a cancelled run. For a single run, throws its error.
 */
async function eachOf(
  ids: string[],
  { json }: CommonOptions,
  act: (id: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (ids.length === 1) return act(ids[0]!)
  const codes = await Promise.all(
    ids.map(id =>
      act(id).catch((error: unknown) => {
        if (error instanceof Unavailable) throw error
        reportError(error, json === true)
        return exitCodeOf(error)
      }),
    ),
  )
  const order: ExitCode[] = [exitCodes.done, exitCodes.cancelled, exitCodes.timeout]
  return codes.toSorted((one, other) => rank(other, order) - rank(one, order))[0]!
}

const rank = (code: ExitCode, order: readonly ExitCode[]) => (order.includes(code) ? order.indexOf(code) : order.length)

/** `muxd show`: prints the prompt and the answer of a run. */
async function show(id: string, options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const run = await mux.attach(await runId(mux, id)).info({ signal })
    if (options.json) await printJson(run)
    else {
      const session = await mux.api.session.get({ session: run.session }, { signal })
      const { approvals } = await mux.api.approval.list({ session: run.session }, { signal })
      const asked = approvals.filter(approval => approval.run === run.run)
      for (const line of describe(run, asked)) await print(line)
      for (const line of [...asked.flatMap(questionLines), ...processLines(session)]) await print(line)
    }
    return exitCodes.done
  })
}

/** Returns the id of a run; the id of a session stands for its latest run. */
async function runId(mux: Mux, id: string): Promise<string> {
  if (!id.startsWith('s_')) return id
  const { lastRun } = await mux.api.session.get({ session: id })
  if (lastRun === null) throw new Usage(`session ${id} has had no run yet`)
  return lastRun
}

/**
 * Resolves with the record when the run has ended, or with the current record after `limitMs`. Waits at most an hour
 * with each call.
 */
async function ended(mux: Mux, run: string, limitMs: number | undefined = Infinity, signal: AbortSignal): Promise<Run> {
  const until = Date.now() + limitMs
  for (;;) {
    const timeoutMs = Math.min(Math.max(0, until - Date.now()), longestWaitMs)
    const record = await mux.attach(run).wait({ timeoutMs, signal })
    if (record.endedAt !== null || Date.now() >= until) return record
  }
}

const longestWaitMs = 3_600_000

function describe(run: Run, asked: readonly Approval[]): string[] {
  const { bold, dim } = colorsFor(process.stdout)
  const { result, startedAt, endedAt, activity } = run
  const isAsking = asked.length > 0
  const silentMs = isAsking ? 0 : (activity?.silentMs ?? 0)
  const by = 'name' in run.origin ? run.origin.name : run.origin.background.kind
  const facts = [
    isAsking ? 'waits: approval' : run.state,
    ...(startedAt !== null && endedAt !== null ? [duration(endedAt - startedAt)] : []),
    ...(run.position !== null ? [queuedFor(run)] : []),
    ...(activity && silentMs >= silentAfterMs ? [`${silence(silentMs)}, last: ${oneLine(activity.what)}`] : []),
    ...(result ? [usd(result.costUsd), tokens(result.tokens)] : []),
  ]
  return [
    `${bold(run.run)} ${dim(`of ${run.session}, asked by ${oneLine(by)}`)}`,
    facts.join(' · '),
    ...(run.limits ? [dim(limitsOf(run))] : []),
    ...(startedAt === null ? [] : [dim(`started ${new Date(startedAt).toLocaleString()}`)]),
    '',
    ...harmless(run.prompt)
      .split('\n')
      .map(line => `${dim('›')} ${line}`),
    ...(result?.response ? ['', harmless(result.response.trimEnd())] : []),
    ...(result?.failure ? ['', ...failureLines(result.failure)] : []),
  ]
}

/** An open question and the commands that answer it. */
const questionLines = (approval: Approval): string[] => [
  '',
  `Claude Code asks: ${approvalSummary(approval)}`,
  ...howToAnswer(approval).map(line => `  ${line}`),
]

/** The processes of the run's session: Claude Code, and those that it left. */
function processLines(session: Session): string[] {
  const { process: claude } = session
  const running = claude ? [`Claude Code runs as pid ${claude.pid}`] : []
  const lines = [...running, ...leftLines(session)]
  return lines.length > 0 ? ['', ...lines] : []
}

function failureLines(failure: Failure): string[] {
  const advice = whatToDo(failure)
  const { dim } = colorsFor(process.stdout)
  return [harmless(`${failure.title}: ${failure.detail}`), ...(advice === undefined ? [] : [dim(harmless(advice))])]
}
