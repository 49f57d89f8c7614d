import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPeer } from '../support/rpc-peer.ts'
import { appears, startBenchDaemon } from './bench-daemon.ts'
import { startChild } from './child.ts'
import type { ReferenceCommand } from './latency-reference.ts'
import type { ChainName } from './latency-ui.ts'

/** The way from the processes of the sessions to a WebSocket. */
export interface Chain {
  readonly name: ChainName
  /** The pid of the process that is measured. */
  readonly pid: number
  readonly url: string
  readonly token: string
  readonly topics: string[]
  /** Sends the prompt to all sessions at once. */
  run(prompt: string): Promise<void>
  /** Ends the chain and everything that it started. */
  close(): Promise<void>
}

const source = fileURLToPath(new URL('./frame-source.pl', import.meta.url))

/**
 * Starts the program that prints the frames of all sessions of a chain (`frame-source.pl`). Needs perl with
 * Time::HiRes: Debian's package `perl`. `prompt` returns the prompt that hands a session over to the program; its times
 * are in µs.
 */
export async function startFeeder(dir: string, sessions: number) {
  const fifo = join(dir, 'feeder')
  const feeder = spawn(source, ['--feed', fifo, String(sessions)], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise(resolve => feeder.once('error', resolve).once('exit', resolve))
  const close = async () => {
    feeder.kill()
    await ended
  }
  try {
    await appears(fifo, () => feeder.pid === undefined || feeder.exitCode !== null, 'the source of frames (perl)')
  } catch (error) {
    await close()
    throw error
  }
  const seconds = (us: number) => (us / 1e6).toFixed(6)
  return {
    prompt: (fromUs: number, untilUs: number, framesPerSecond: number) =>
      ['stream', seconds(fromUs), seconds(untilUs), framesPerSecond, fifo].join(' '),
    close,
  }
}

/** Starts the built daemon in its own home below `dir`. */
export async function startMuxd(dir: string, sessions: number): Promise<Chain> {
  const argv = ['--claude-bin', source, '--max-runs', String(sessions)]
  // All processes are kept between the rounds. If processes had to start, the source would print its frames late.
  const { info, close } = await startBenchDaemon(dir, argv, {}, { maxIdleProcesses: sessions })
  try {
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
      async run(prompt) {
        await Promise.all(ids.map(session => peer.call('run.start', { session, prompt })))
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Starts the reference. `program` is `latency-reference.ts`, bundled. */
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
      async run(prompt) {
        await child.ask({ do: 'run', prompt })
      },
      close: () => child.close(),
    }
  } catch (error) {
    await child.close()
    throw error
  }
}
