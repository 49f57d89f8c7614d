import type { Command } from 'commander'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { print, printJson } from '../screen/output.ts'
import { statusLines } from '../render/status.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareStatus(program: Command): void {
  command(program, 'status', 'show the state of the daemon').action(acting(status))
}

/** `muxd status`: prints the status of the daemon. */
async function status(options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: false }, async (mux, signal) => {
    const now = await mux.api.daemon.status({}, { signal })
    if (options.json) await printJson(now)
    else for (const line of statusLines(now, Date.now())) await print(line)
    return exitCodes.done
  })
}
