import type { Mux, Run } from '../../sdk/index.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { colorsFor, columnsOfOutput, print, printJson, say } from '../output.ts'
import { queueLines } from '../render/queue.ts'
import { queuedFor } from '../render/run-facts.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd queue`: lists the queued prompts of a session, the next one first. */
export async function queue(session: string, options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const runs = await queuedRuns(mux, { session, signal })
    if (options.json) for (const run of runs) await printJson(run)
    else if (!runs.length) say(`nothing waits in ${session}`)
    else {
      const columns = columnsOfOutput()
      for (const line of queueLines(runs, { columns, colors: colorsFor(process.stdout) })) await print(line)
    }
    return exitCodes.done
  })
}

/** `muxd move`: moves a queued run. The command line counts positions from 1. */
export async function move(run: string, options: CommonOptions & { to: number }): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const moved = await mux.api.run.move({ run, to: options.to - 1 }, { signal })
    if (options.json) await printJson(moved)
    else say(`${moved.run} is ${queuedFor(moved)}`)
    return exitCodes.done
  })
}

/** Returns the queued runs of a session, or of all sessions, by position. */
export async function queuedRuns(
  mux: Mux,
  { session, signal }: { session?: string; signal: AbortSignal },
): Promise<Run[]> {
  const runs: Run[] = []
  let after: string | undefined
  do {
    const page = await mux.api.run.list(
      { state: 'queued', ...(session !== undefined && { session }), ...(after !== undefined && { after }) },
      { signal },
    )
    runs.push(...page.runs)
    after = page.next
  } while (after !== undefined)
  return runs.toSorted((one, other) => (one.position ?? 0) - (other.position ?? 0))
}
