import { fileURLToPath } from 'node:url'
import type { BenchLine } from './bench-line.ts'
import { startChild } from './child.ts'
import type { Read, ReadersClientsCommand, Replayed } from './readers-clients.ts'
import type { Produced, ReadersServerCommand, Scanned } from './readers-server.ts'
import { median, quantile } from './statistics.ts'

const [old, live] = ['s_old', 's_live']
const uis = 3

/**
 * G8: reads a session of 100,000 events from its beginning over a socket. Measures the time to the first event, the
 * rate against a bare read of the same rows, and the effect on the latency of live events of another session at 200
 * turns a second. Portions with and without replays alternate.
 */
export async function benchReplay({ rounds = 15, events = 100_000 } = {}): Promise<BenchLine[]> {
  const server = startChild<ReadersServerCommand>(program('readers-server.ts'))
  const ui = startChild<ReadersClientsCommand>(program('readers-clients.ts'))
  const replayer = startChild<ReadersClientsCommand>(program('readers-clients.ts'))
  let head = 0
  const portion = async (turns = 400) => {
    head += turns * 4
    const produce = { do: 'produce', session: live, turns, eventsPerTurn: 4, eventBytes: 200, everyMs: 5 } as const
    await server.ask<Produced>(produce)
    const { latenciesUs } = await ui.ask<Read>({ do: 'await', group: 'ui', session: live, head })
    return quantile(latenciesUs, 0.99) / 1e3
  }
  try {
    const { port } = await server.ask<{ port: number }>({ do: 'start' })
    const fill = { do: 'produce', session: old, eventsPerTurn: 100, eventBytes: 200, everyMs: 0 } as const
    await server.ask({ ...fill, turns: events / 100 })
    await server.ask({ do: 'produce', session: live, turns: 1, eventsPerTurn: 1, eventBytes: 200, everyMs: 0 })
    head = 1
    await ui.ask({ do: 'connect', group: 'ui', count: uis, port, how: 'fast' })
    await ui.ask({ do: 'subscribe', group: 'ui', session: live, since: 'start' })
    const replay = () => replayer.ask<Replayed>({ do: 'replay', port, session: old, head: events })
    await replay()
    await portion()

    const quiet: Replayed[] = []
    const scans: number[] = []
    const p99 = { alone: [] as number[], beside: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      scans.push((await server.ask<Scanned>({ do: 'scan', session: old })).eventsPerSecond)
      quiet.push(await replay())
      p99.alone.push(await portion())
      let isOver = false
      const replaying = (async () => {
        while (!isOver) await replay()
      })()
      p99.beside.push(await portion())
      isOver = true
      await replaying
    }
    const rates = quiet.map(({ wholeMs }) => events / (wholeMs / 1e3))
    const ms = (values: number[]) => `${median(values).toFixed(1)} ms`
    return [
      {
        goal: 'G8',
        what: `first event of ${events.toLocaleString('en-US')} that are replayed`,
        value: ms(quiet.map(({ firstEventMs }) => firstEventMs)),
        reference: '',
        floor: '5 ms',
        aim: '2 ms',
      },
      {
        goal: 'G8',
        what: 'replay over a socket',
        value: perSecond(rates),
        reference: `scan ${perSecond(scans)}`,
        ratio: median(rates.map((rate, index) => rate / scans[index]!)),
        floor: '0.3',
        aim: '0.7',
      },
      {
        goal: 'G8',
        what: 'p99 of live events while others are replayed',
        value: ms(p99.beside),
        reference: `without ${ms(p99.alone)}`,
        ratio: median(p99.beside.map((value, index) => value / p99.alone[index]!)),
        floor: '2',
        aim: '1.2',
      },
    ]
  } finally {
    await Promise.all([server, ui, replayer].map(child => child.close()))
  }
}

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const perSecond = (values: readonly number[]) => `${Math.round(median(values) / 1e3)} k/s`
