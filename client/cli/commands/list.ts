import { type Command, Option } from 'commander'
import type { Mux, Run, Session } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { colorsFor, columnsOfOutput, print, printJson, say } from '../screen/output.ts'
import { type SessionRow, sessionLines } from '../render/sessions.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'
import { queuedRuns } from './queue.ts'

export interface ListOptions extends CommonOptions {
  limit: number
}

export function declareList(program: Command): void {
  command(program, 'ls', 'list sessions: waiting and running ones first, then by last use')
    .addOption(new Option('-n, --limit <count>', 'at most this many').default(50).argParser(wholeNumber))
    .action(acting(list))
}

/** `muxd ls`: lists sessions, waiting and running ones first, then by last use. */
async function list(options: ListOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const sessions: Session[] = []
    let after: string | undefined
    do {
      const limit = Math.min(options.limit - sessions.length, 200)
      const page = await mux.api.session.list(
        { order: 'used', limit, ...(after !== undefined && { after }) },
        { signal },
      )
      sessions.push(...page.sessions)
      after = page.next
    } while (after !== undefined && sessions.length < options.limit)

    if (options.json) for (const session of sessions) await printJson(session)
    else if (!sessions.length) say('no sessions yet: muxd run "what to do"')
    else {
      const columns = columnsOfOutput()
      const rows = await withRuns(mux, sessions, signal)
      for (const line of sessionLines(rows, { columns, now: Date.now(), colors: colorsFor(process.stdout) })) {
        await print(line)
      }
      if (after !== undefined) await sayHowManyMore(mux, sessions.length, signal)
    }
    return exitCodes.done
  })
}

/** Says how many sessions the limit leaves out. Some of them may have been deleted meanwhile. */
async function sayHowManyMore(mux: Mux, shown: number, signal: AbortSignal): Promise<void> {
  const { sessions: all } = await mux.api.daemon.status({}, { signal })
  if (all > shown) say(`${all - shown} more: muxd ls -n ${all}`)
}

/** Adds each session's runs. Active and queued runs of all sessions are read with one call for each state. */
async function withRuns(mux: Mux, sessions: readonly Session[], signal: AbortSignal): Promise<SessionRow[]> {
  const [queued, running, cancelling, last] = await Promise.all([
    queuedRuns(mux, { signal }),
    mux.api.run.list({ state: 'running' }, { signal }),
    mux.api.run.list({ state: 'cancelling' }, { signal }),
    Promise.all(
      sessions.map(({ lastRun }) =>
        lastRun === null ? Promise.resolve(undefined) : mux.attach(lastRun).info({ signal }),
      ),
    ),
  ])
  const active = [...running.runs, ...cancelling.runs]
  return sessions.map((session, index) => {
    const isIts = (run: Run) => run.session === session.session
    return { session, last: last[index], active: active.find(isIts), queued: queued.filter(isIts) }
  })
}
