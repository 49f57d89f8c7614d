import { daemonProgram } from '../background.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson } from '../output.ts'
import { bytes, count, duration } from '../render/format.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'

/** `muxd serve`: becomes the daemon, which reads its own options and sets the exit code. */
export async function serve(argv: string[]): Promise<void> {
  const { main } = (await import(daemonProgram().href)) as { main(argv: string[]): Promise<void> }
  await main(argv)
}

/** `muxd status`: how the daemon is. */
export async function status(options: CommonOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: false }, async (mux, signal) => {
    const now = await mux.api.daemon.status({}, { signal })
    if (options.json) {
      await printJson(now)
      return exitCodes.done
    }
    const runs = Object.entries(now.runs).map(([state, amount]) => `${count(amount)} ${state}`)
    const rows = {
      daemon: `muxd ${now.version}, pid ${now.pid}, up ${duration(now.uptimeMs)}, Node ${now.node}`,
      url: now.url,
      home: now.home,
      claude: now.claude ? `${now.claude.version}, ${now.claude.path}` : 'not found',
      sessions: `${count(now.sessions)}, ${count(now.processes)} with a live process`,
      runs: `${runs.join(', ') || 'none'} (at most ${now.maxRuns} at once)`,
      clients: `${count(now.connections)}, ${count(now.subscriptions)} subscriptions`,
      memory: bytes(now.memory.rssBytes),
      disk: `${bytes(now.disk.databaseBytes + now.disk.rawBytes)} used, ${bytes(now.disk.freeBytes)} free`,
    }
    for (const [name, value] of Object.entries(rows)) await print(`${name.padEnd(10)}${value}`)
    return exitCodes.done
  })
}
