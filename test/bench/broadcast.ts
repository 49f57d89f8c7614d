import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BenchLine } from './bench-line.ts'
import type { Command, Report, Way } from './broadcast-server.ts'
import { median } from './statistics.ts'

const subscribers = 100
const eventsPerTurn = 16
const ways: readonly Way[] = ['raw', 'muxd', 'naive']

/**
 * G2: deliveries (events times subscribers) per CPU-second of the server process, against a bare TCP server that writes
 * the same bytes, framed beforehand, to the same number of sockets, and against `ws.send(JSON.stringify(event))` for
 * each event and subscriber. The three take turns; each ratio is the median of the rounds' ratios. Clients live in a
 * process of their own.
 */
export async function benchBroadcast({ rounds = 7, turnsPerRound = 400 } = {}): Promise<BenchLine[]> {
  const server = start('./broadcast-server.ts')
  const clients = start('./broadcast-clients.ts')
  try {
    const { ports } = await ask<{ ports: Record<Way, number> }>(server, { do: 'start' })
    for (const way of ways) await ask(clients, { do: 'connect', way, port: ports[way], subscribers })
    // Warm up each way before it is measured.
    for (const way of ways) await measure(server, clients, way, turnsPerRound)
    const measured: Record<Way, number[]> = { raw: [], muxd: [], naive: [] }
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) measured[way].push(await measure(server, clients, way, turnsPerRound))
    }
    const ratio = (way: Way) => median(measured.muxd.map((value, round) => value / measured[way][round]!))
    const value = perSecond(measured.muxd)
    const what = `broadcast to ${subscribers} subscribers, ${eventsPerTurn} events a turn, per server CPU-second`
    return [
      {
        goal: 'G2',
        what,
        value,
        reference: `raw TCP ${perSecond(measured.raw)}`,
        ratio: ratio('raw'),
        floor: '0.75',
        aim: '0.95',
      },
      {
        goal: 'G2',
        what,
        value,
        reference: `ws.send each ${perSecond(measured.naive)}`,
        ratio: ratio('naive'),
        floor: '12',
        aim: '20',
      },
    ]
  } finally {
    for (const child of [server, clients]) child.kill()
  }
}

/** Returns the deliveries per CPU-second of one round. Every client has received all of it then. */
async function measure(server: ChildProcess, clients: ChildProcess, way: Way, turnsPerRound: number): Promise<number> {
  const turns = way === 'naive' ? turnsPerRound / 8 : turnsPerRound
  // Sends portions, and waits until the clients have read each one. So no socket is ever full, on any way.
  let cpuSeconds = 0
  for (let sent = 0; sent < turns; sent += 25) {
    const portion = Math.min(25, turns - sent)
    const report = await ask<Report>(server, { do: 'broadcast', way, turns: portion, eventsPerTurn })
    await ask(clients, { do: 'drain', way, bytes: report.bytesEach })
    cpuSeconds += report.cpuSeconds
  }
  return (turns * eventsPerTurn * subscribers) / cpuSeconds
}

function start(module: string): ChildProcess {
  return fork(fileURLToPath(new URL(module, import.meta.url)), { execArgv: ['--import', 'tsx'] })
}

async function ask<Answer>(child: ChildProcess, command: Command | ClientCommand): Promise<Answer> {
  const gone = new AbortController()
  const answered = once(child, 'message', { signal: gone.signal })
  const died = () => gone.abort()
  child.once('exit', died)
  child.send(command)
  const [answer] = (await answered) as [Answer]
  child.off('exit', died)
  return answer
}

/**
 * A command to the clients' process. `drain` is answered when `bytes` have arrived at every subscriber since the last
 * drain.
 */
export type ClientCommand =
  | { do: 'connect'; way: Way; port: number; subscribers: number }
  | { do: 'drain'; way: Way; bytes: number }

const perSecond = (values: readonly number[]) => `${(median(values) / 1e6).toFixed(2)} M/s`
