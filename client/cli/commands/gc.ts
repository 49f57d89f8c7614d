import type { Command } from 'commander'
import type { GcResult } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { columnsOfOutput, print, printJson } from '../screen/output.ts'
import { gcLines } from '../render/gc.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface GcOptions extends CommonOptions {
  dryRun?: boolean
}

export function declareGc(program: Command): void {
  command(program, 'gc', 'delete expired sessions and logs now')
    .option('--dry-run', 'only show what would be deleted')
    .action(acting(gc))
}

/**
 * `muxd gc`: applies the retention now, or lists what it would delete. Starts no daemon, because a starting daemon
 * applies the retention by itself.
 */
async function gc(options: GcOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: false }, async (mux, signal) => {
    const result: GcResult = await mux.api.daemon.gc({ dryRun: options.dryRun ?? false }, { signal })
    if (options.json) await printJson(result)
    else for (const line of gcLines(result, columnsOfOutput())) await print(line)
    return exitCodes.done
  })
}
