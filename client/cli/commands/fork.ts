import type { Command } from 'commander'
import type { Session } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { print, printJson } from '../screen/output.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareFork(program: Command): void {
  command(program, 'fork', 'start a new session that continues from this one')
    .argument('<session>')
    .option('--title <text>', "title of the new session (default: the old one's)")
    .action(acting(fork))
}

/** `muxd fork`: creates a session with the conversation of another so far. */
async function fork(session: string, options: CommonOptions & { title?: string }): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const { title } = options
    const forked: Session = await mux.api.session.fork({ session, ...(title !== undefined && { title }) }, { signal })
    if (options.json) await printJson(forked)
    else await print(forked.session)
    return exitCodes.done
  })
}
