import type { UsageGroup } from '../../sdk/index.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { columnsOfOutput, print, printJson } from '../output.ts'
import { usageLines } from '../render/usage.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** The groups in the order of the columns. */
export const usageGroups = ['day', 'session', 'run', 'model'] as const satisfies readonly UsageGroup[]

export interface UsageOptions extends CommonOptions {
  days: number
  by: UsageGroup[]
  session?: string
}

/** `muxd usage`: prints the cost of runs. Days are those of this terminal's time zone, wherever the daemon is. */
export async function showUsage({ days, by, session, ...options }: UsageOptions): Promise<ExitCode> {
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
