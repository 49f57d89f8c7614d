import type { Command } from 'commander'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { print, printJson, say } from '../screen/output.ts'
import { leftLines } from '../render/left.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export function declareClose(program: Command): void {
  command(program, 'close', 'end the process of a session; its log stays, and a next run starts it again')
    .argument('<session>')
    .option('--force', 'also in the middle of a run, which is cancelled')
    .option('--sweep', 'also end what Claude Code has left running')
    .action(acting(close))
}

/** `muxd close`: ends the process of a session; with `--sweep` also the processes that Claude Code left running. */
async function close(session: string, options: CommonOptions & { force?: true; sweep?: true }): Promise<ExitCode> {
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
