import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '../../index.ts'
import { daemonProgram } from '../background.ts'
import { type ExitCode, exitCodes } from '../exit.ts'
import { print, printJson, say } from '../output.ts'
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

/** `muxd stop`: ends the daemon and waits until it is gone. Runs that are active end as `interrupted`. */
export async function stop(options: CommonOptions): Promise<ExitCode> {
  let pid: number
  try {
    pid = await withMux(options, { mayStart: false, endsIt: true }, async (mux, signal) => {
      const before = await mux.api.daemon.status({}, { signal })
      const gone = new Promise<void>(resolve => mux.onState(state => state !== 'open' && resolve()))
      await mux.api.daemon.stop({}, { signal })
      await gone
      mux.close()
      return before.pid
    })
  } catch (error) {
    // Never reached at all, by its home: then there is none, which is what was asked for.
    if (!(error instanceof Unavailable) || error.code !== undefined || options.url !== undefined) throw error
    say('no daemon runs')
    return exitCodes.done
  }
  const deadline = Date.now() + 30_000
  while (options.url === undefined && isRunning(pid)) {
    if (Date.now() > deadline) throw new Error(`the daemon (pid ${pid}) was told to stop, but is still there`)
    await delay(50)
  }
  if (options.json) await printJson({})
  else say(`stopped (pid ${pid})`)
  return exitCodes.done
}

/** Not merely a process that nobody has collected yet: in a container that may take for ever. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return process.platform !== 'linux'
  }
}
