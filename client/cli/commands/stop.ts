import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { protocolVersion } from '../../../protocol/wire.ts'
import {
  type DaemonInfo,
  type DaemonStatus,
  homeDirectory,
  type Mux,
  readDaemonInfo,
  Unavailable,
} from '../../sdk/index.ts'
import { sdkVersion } from '../../sdk/version.ts'
import { acting, command } from '../command/command.ts'
import { holdsSessions, startInBackground } from '../daemon/background.ts'
import { lookAtConfig } from '../daemon/config-check.ts'
import { endDaemon } from '../command/end-daemon.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { printJson, say } from '../screen/output.ts'
import { count } from '../render/format.ts'
import type { CommonOptions } from '../command/with-mux.ts'

export function declareStop(program: Command): void {
  command(program, 'stop', 'stop the daemon and all runs')
    .option('--keep-sessions', 'runs go on, and the next daemon takes them over')
    .action(acting(stop))
  command(program, 'restart', 'replace the daemon with a new one; runs go on')
    .option('--wait', 'first wait until no run is active or queued')
    .option('--simulate', 'use the simulator in place of Claude Code: no account, nothing real')
    .action(acting(restart))
}

/**
 * `muxd stop`: stops the daemon and waits until it has ended. Active runs end as `interrupted`, unless `keepSessions`.
 */
async function stop({
  keepSessions = false,
  ...options
}: CommonOptions & { keepSessions?: boolean }): Promise<ExitCode> {
  const end = () => endDaemon(options, { keepSessions, restart: false })
  let last = await end()
  const home = homeDirectory(options.home)
  if (!last && !keepSessions && options.url === undefined && (await holdsSessions(home))) {
    say('no daemon runs, but sessions go on: starting one to end them')
    await startInBackground(home)
    last = await end()
  }
  if (options.json) await printJson({ pid: last?.pid ?? null })
  else if (!last) say('no daemon runs')
  else say(`stopped (pid ${last.pid})${keepSessions ? keptOf(last) : interruptedOf(last)}`)
  return exitCodes.done
}

/** `muxd restart`: replaces the daemon with a new one with the same options and port. Its sessions continue. */
async function restart({
  wait,
  simulate,
  ...options
}: CommonOptions & { wait?: true; simulate?: true }): Promise<ExitCode> {
  if (options.url !== undefined) throw new Usage('--url: a daemon elsewhere cannot be started again from here')
  const home = homeDirectory(options.home)
  const before = await readDaemonInfo(home)
  const kept = before?.args ?? []
  const args = simulate && !kept.includes('--simulate') ? ['--simulate', ...kept] : kept
  // Check the configuration first: a running daemon must not be stopped for one that cannot start.
  const look = await lookAtConfig(home, args)
  if ('problem' in look) throw new Usage(`${look.problem}${before ? '; the daemon was not restarted' : ''}`)
  const last = await endDaemon(options, { keepSessions: true, restart: true }, wait && untilIdle)
  if (!last && !options.start) throw new Unavailable('no daemon runs, and --no-start was given')
  if (!last) say('no daemon runs, starting one')
  if (last && before?.foreground) {
    say(
      `the daemon in the foreground (pid ${last.pid}) has ended; the next one runs in the background: muxd logs -f shows its log`,
    )
  }
  const now = await startInBackground(home, {
    args: last ? args : simulate ? ['--simulate'] : [],
    ...(last && before && { port: portOf(before) }),
  })
  if (options.json) await printJson({ pid: now.pid, url: now.url })
  else if (last) say(`restarted (pid ${last.pid} is now ${now.pid})${keptOf(last)}${newProtocolOf(last)}`)
  return exitCodes.done
}

const portOf = ({ url }: DaemonInfo) => Number(new URL(url).port)

const active = ({ runs }: DaemonStatus) => (runs['running'] ?? 0) + (runs['cancelling'] ?? 0) + (runs['queued'] ?? 0)

const keptOf = (last: DaemonStatus) => (last.processes ? `; ${amount(last.processes, 'live process', 'es')} kept` : '')
const newProtocolOf = ({ version, protocol }: DaemonStatus) =>
  protocol === protocolVersion
    ? ''
    : `; muxd ${version} with protocol ${protocol} is now muxd ${sdkVersion} with protocol ${protocolVersion}`
const interruptedOf = (last: DaemonStatus) => (active(last) ? `; ${amount(active(last), 'run')} interrupted` : '')
const amount = (number: number, what: string, plural = 's') => `${count(number)} ${what}${number === 1 ? '' : plural}`

async function untilIdle(mux: Mux, signal: AbortSignal): Promise<void> {
  for (let told = false; ; told = true) {
    const now = await mux.api.daemon.status({}, { signal })
    if (active(now) === 0) return
    if (!told) say(`waiting for ${amount(active(now), 'run')}`)
    await delay(500, undefined, { signal })
  }
}
