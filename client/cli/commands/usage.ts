import { type Command, InvalidArgumentError, Option } from 'commander'
import type { UsageGroup } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { columnsOfOutput, print, printJson } from '../screen/output.ts'
import { usageLines } from '../render/usage.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

/** The groups in the order of the columns. */
export const usageGroups = ['day', 'session', 'run', 'model'] as const satisfies readonly UsageGroup[]

export interface UsageOptions extends CommonOptions {
  days: number
  by: UsageGroup[]
  session?: string
}

export function declareUsage(program: Command): void {
  command(program, 'usage', 'show what runs have cost, by day and model')
    .addOption(new Option('--days <count>', 'the last days, today included').default(30).argParser(wholeNumber))
    .addOption(
      new Option('--by <what>', `${usageGroups.join(', ')}; separate several with commas`)
        .default(['day', 'model'], 'day,model')
        .argParser(groups),
    )
    .option('-s, --session <id>', 'of this session only')
    .action(acting(showUsage))
}

function groups(text: string): UsageGroup[] {
  const names = text.split(',')
  const known = usageGroups.filter(group => names.includes(group))
  if (known.length !== names.length) throw new InvalidArgumentError(`expected some of ${usageGroups.join(', ')}.`)
  return known
}

/** `muxd usage`: prints the cost of runs. Days are those of this terminal's time zone, wherever the daemon is. */
async function showUsage({ days, by, session, ...options }: UsageOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    const ofSession = session === undefined ? {} : { session }
    const query = { from: startOfDay(new Date(), days - 1), by, timeZone, limit: 1_000, ...ofSession }
    const used = await mux.api.usage.get(query, { signal })
    if (options.json) await printJson(used)
    else for (const line of usageLines(used, by, columnsOfOutput())) await print(line)
    return exitCodes.done
  })
}

/** Returns when the day that was `daysAgo` days ago began. Days do not all have 24 hours. */
const startOfDay = (now: Date, daysAgo: number): number =>
  Math.max(0, new Date(now.getFullYear(), now.getMonth(), now.getDate() - daysAgo).getTime())
