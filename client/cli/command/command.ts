import type { Command } from 'commander'
import type { ExitCode } from '../errors/exit.ts'
import type { CommonOptions } from './with-mux.ts'

/** Declares a command of `parent`. The common options may also stand before its name. */
export const command = (parent: Command, name: string, description: string): Command =>
  withCommonOptions(parent.command(name).description(description))

export const withCommonOptions = (to: Command): Command =>
  to
    .option('--home <dir>', 'home directory of the daemon (MUXD_HOME)')
    .option('--url <url>', 'another daemon: ws://HOST:PORT/ws')
    .option('--token <token>', 'its token')
    .option('--as <name>', 'your name for others (MUXD_CLIENT_NAME)')
    .option('--no-start', 'do not start a daemon when none runs')
    .option('--json', 'print one JSON value a line and nothing else')

/** Makes `act` the action of a command: it gets the arguments and the options, and gives the exit code of the program. */
export const acting =
  <Given extends unknown[], Options extends CommonOptions>(act: (...given: [...Given, Options]) => Promise<ExitCode>) =>
  async (...given: unknown[]): Promise<void> => {
    // Commander adds the options and the command itself to the arguments.
    const self = given.at(-1) as Command
    process.exitCode = await act(...(given.slice(0, -2) as Given), optionsOf<Options>(self))
  }

function optionsOf<Options extends CommonOptions>(self: Command): Options {
  const [before, after] = [programOf(self).opts<CommonOptions>(), self.opts<Options>()]
  return { ...before, ...after, start: before.start && after.start }
}

const programOf = (self: Command): Command => (self.parent ? programOf(self.parent) : self)
