import { daemonProgram } from '../background.ts'

/** `muxd serve`: becomes the daemon, which reads its own options and sets the exit code. */
export async function serve(argv: string[]): Promise<void> {
  const { main } = (await import(daemonProgram().href)) as { main(argv: string[]): Promise<void> }
  await main(argv)
}
