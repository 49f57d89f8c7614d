import type { Session } from '../../sdk/index.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson } from '../output.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd fork`: creates a session with the conversation of another so far. */
export async function fork(session: string, options: CommonOptions & { title?: string }): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const { title } = options
    const forked: Session = await mux.api.session.fork({ session, ...(title !== undefined && { title }) }, { signal })
    if (options.json) await printJson(forked)
    else await print(forked.session)
    return exitCodes.done
  })
}
