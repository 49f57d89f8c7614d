import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DaemonInfo } from '../../protocol/index.ts'
import { openPeer } from '../support/rpc-peer.ts'
import { startChild } from './child.ts'
import type { ReferenceCommand } from './latency-reference.ts'
import type { ChainName } from './latency-ui.ts'

/** From the processes of 50 sessions to a WebSocket. */
export interface Chain {
  readonly name: ChainName
  /** Of the process that is measured. */
  readonly pid: number
  readonly url: string
  readonly token: string
  readonly topics: string[]
  /** One prompt a session, all at once. */
  run(prompts: string[]): Promise<void>
  /** Ends it and all that it has started. */
  close(): Promise<void>
}

/** What both chains are fed by. Needs perl with Time::HiRes: Debian's package `perl`. */
export const source = fileURLToPath(new URL('./frame-source.pl', import.meta.url))
const daemonProgram = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))

/** The daemon as built, in a home of its own below `dir`. */
export async function startMuxd(dir: string, sessions: number): Promise<Chain> {
  const home = join(dir, 'home')
  const options = ['--claude-bin', source, '--max-runs', String(sessions), '--log-level', 'warn']
  const daemon = spawn(process.execPath, [daemonProgram, '--home', home, '--port', '0', ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(daemon, 'exit')
  const close = async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) daemon.kill('SIGTERM')
    await ended
  }
  try {
    const info = await readInfo(join(home, 'daemon.json'), () => daemon.exitCode !== null)
    const peer = await openPeer(info.url, info.token, 'bench')
    const created = Array.from({ length: sessions }, () =>
      peer.call<{ session: string }>('session.create', { cwd: dir }),
    )
    const ids = (await Promise.all(created)).map(({ session }) => session)
    return {
      name: 'muxd',
      pid: info.pid,
      url: info.url,
      token: info.token,
      topics: ids.map(id => `session/${id}`),
      async run(prompts) {
        await Promise.all(prompts.map((prompt, index) => peer.call('run.start', { session: ids[index], prompt })))
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function readInfo(path: string, hasEnded: () => boolean): Promise<DaemonInfo> {
  const deadline = Date.now() + 15_000
  while (!existsSync(path)) {
    if (hasEnded() || Date.now() > deadline) throw new Error('the daemon did not start')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return JSON.parse(readFileSync(path, 'utf8')) as DaemonInfo
}

/** `program` is `latency-reference.ts`, bundled. */
export async function startReference(program: string, dir: string, sessions: number): Promise<Chain> {
  const child = startChild<ReferenceCommand>(program)
  const processesDir = join(dir, 'reference')
  mkdirSync(processesDir, { mode: 0o700 })
  try {
    const { url } = await child.ask<{ url: string }>({ do: 'start', dir: processesDir, source, sessions })
    return {
      name: 'reference',
      pid: child.pid,
      url,
      token: '',
      topics: [],
      async run(prompts) {
        await child.ask({ do: 'run', prompts })
      },
      close: () => child.close(),
    }
  } catch (error) {
    await child.close()
    throw error
  }
}
