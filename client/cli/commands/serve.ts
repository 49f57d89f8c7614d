import type { Command } from 'commander'
import type { CommonOptions } from '../command/with-mux.ts'
import { daemonProgram } from '../daemon/background.ts'

export function declareServe(program: Command): void {
  program
    .command('serve')
    .description('run the daemon in the foreground (muxd serve --help lists its options)')
    .argument('[options...]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (rest: string[]) => {
      const { home } = program.opts<CommonOptions>()
      await serve([...(home === undefined ? [] : ['--home', home]), ...rest])
    })
}

/** `muxd serve`: becomes the daemon, which reads its own options and sets the exit code. */
async function serve(argv: string[]): Promise<void> {
  const { main } = (await import(daemonProgram().href)) as { main(argv: string[]): Promise<void> }
  await main(argv)
}
