import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson, say } from '../output.ts'
import { leftLines } from '../render/left.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd close`: ends the process of a session; with `--sweep` also the processes that Claude Code left running. */
export async function close(
  session: string,
  options: CommonOptions & { force?: true; sweep?: true },
): Promise<ExitCode> {
  const { force = false, sweep = false } = options
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const closed = await mux.api.session.close({ session, force, sweep }, { signal })
    if (options.json) await printJson(closed)
    else {
      say(`${session} is closed`)
      for (const line of leftLines(closed)) await print(line)
    }
    return exitCodes.done
  })
}
