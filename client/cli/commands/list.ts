import type { Run, Session } from '../../index.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson, say } from '../output.ts'
import { age, shortPath, table, usd } from '../render/format.ts'
import { oneLine } from '../render/text.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

export interface ListOptions extends CommonOptions {
  limit: number
}

/** `muxd ls`: the sessions, newest first. */
export async function list(options: ListOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const sessions: Session[] = []
    let after: string | undefined
    do {
      const limit = Math.min(options.limit - sessions.length, 200)
      const page = await mux.api.session.list({ limit, ...(after !== undefined && { after }) }, { signal })
      sessions.push(...page.sessions)
      after = page.next
    } while (after !== undefined && sessions.length < options.limit)

    if (options.json) for (const session of sessions) await printJson(session)
    else if (!sessions.length) say('no sessions yet: muxd run "what to do"')
    else {
      const runs = await Promise.all(
        sessions.map(({ lastRun }) =>
          lastRun === null ? Promise.resolve(undefined) : mux.attach(lastRun).info({ signal }),
        ),
      )
      const rows = sessions.map((session, index) => row(session, runs[index]))
      const columns = process.stdout.isTTY ? process.stdout.columns : Infinity
      for (const line of table(
        ['SESSION', 'LAST RUN', 'STATE', 'AGE', 'COST', 'ABOUT', 'DIRECTORY'],
        rows,
        columns,
        5,
      )) {
        await print(line)
      }
    }
    return exitCodes.done
  })
}

const row = (session: Session, run: Run | undefined): string[] => [
  session.session,
  session.lastRun ?? '-',
  session.state === 'idle' && run ? run.state : session.state,
  age(Date.now() - session.updatedAt),
  usd(session.costUsd),
  oneLine(session.title || run?.prompt || '') || '-',
  oneLine(shortPath(session.cwd)),
]
