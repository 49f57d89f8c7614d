import { type Command, Option } from 'commander'
import type { Mux, Run } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { colorsFor, columnsOfOutput, print, printJson, say } from '../screen/output.ts'
import { queueLines } from '../render/queue.ts'
import { queuedFor } from '../render/run-facts.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareQueue(program: Command): void {
  command(program, 'queue', 'list the queued prompts of a session, the next one first')
    .argument('<session>')
    .action(acting(queue))
  command(program, 'move', 'move a queued run to another place')
    .argument('<run>')
    .addOption(new Option('--to <place>', 'its new place: 1 is the next').makeOptionMandatory().argParser(wholeNumber))
    .action(acting(move))
}

/** `muxd queue`: lists the queued prompts of a session, the next one first. */
async function queue(session: string, options: CommonOptions): Promise<ExitCode> {
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
async function move(run: string, options: CommonOptions & { to: number }): Promise<ExitCode> {
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
