import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson } from '../output.ts'
import { statusLines } from '../render/status.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd status`: prints the status of the daemon. */
export async function status(options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: false }, async (mux, signal) => {
    const now = await mux.api.daemon.status({}, { signal })
    if (options.json) await printJson(now)
    else for (const line of statusLines(now, Date.now())) await print(line)
    return exitCodes.done
  })
}
