import { fileURLToPath } from 'node:url'
import { limits } from '../../protocol/limits.ts'
import type { BenchLine } from './bench-line.ts'
import { startChild } from './child.ts'
import type { Read, ReadersClientsCommand } from './readers-clients.ts'
import type { Produced, ReadersServerCommand, Scanned } from './readers-server.ts'
import { median, quantile } from './statistics.ts'

export interface SlowReadersOptions {
  /**
   * The number of readers of each kind: those that never read, those that read slowly, those that read as data arrives.
   */
  count: number
  slowBytesPerSecond: number
  /**
   * Portions of the session that all readers subscribe to. They alternate with portions that only the fast readers get.
   */
  portions: number
  turnsPerPortion: number
  eventsPerTurn: number
  eventBytes: number
  everyMs: number
}

export interface SlowReaders {
  /** Each portion: `alone` without slow readers on the topic, `beside` with all of them. */
  alone: Portion[]
  beside: Portion[]
  rssBytesBefore: number
  rssBytes: number
  /** The most bytes that waited in the daemon for any one connection. */
  unsentBytes: number
  bytes: number
  /** How many of the slow readers and those that never read had the whole log, byte for byte, in the end. */
  complete: number
}

interface Portion {
  p99Ms: number
  producerP99Ms: number
}

/**
 * The most that a connection that does not read may hold: the high-water mark, a page, and the event that crosses the
 * mark.
 */
export const unsentBound = limits.highWaterBytes + limits.eventsPageBytes + limits.maxEventBytes

/**
 * Measures clients that never read and clients that read slowly beside fast ones on one topic. In the end all of them
 * read on.
 */
export async function measureSlowReaders(options: SlowReadersOptions): Promise<SlowReaders> {
  const { count, portions, turnsPerPortion, eventsPerTurn, eventBytes, everyMs } = options
  const server = startChild<ReadersServerCommand>(program('readers-server.ts'))
  const fast = startChild<ReadersClientsCommand>(program('readers-clients.ts'))
  const slow = startChild<ReadersClientsCommand>(program('readers-clients.ts'))
  const [alone, beside] = ['s_alone', 's_beside']
  const heads = new Map([alone, beside].map(session => [session, 0]))
  const produce = async (session: string, turns: number) => {
    heads.set(session, heads.get(session)! + turns * eventsPerTurn)
    return server.ask<Produced>({ do: 'produce', session, turns, eventsPerTurn, eventBytes, everyMs })
  }
  const portion = async (session: string) => {
    const { turnP99Ms, ...most } = await produce(session, turnsPerPortion)
    const { latenciesUs } = await fast.ask<Read>({ do: 'await', group: 'fast', session, head: heads.get(session)! })
    return { ...most, p99Ms: quantile(latenciesUs, 0.99) / 1e3, producerP99Ms: turnP99Ms }
  }
  try {
    // The readers are paused for longer than the daemon's own limit allows.
    const { port } = await server.ask<{ port: number }>({ do: 'start', limits: { stallTimeoutMs: 3_600_000 } })
    for (const session of heads.keys()) await produce(session, 1)
    await fast.ask({ do: 'connect', group: 'fast', count, port, how: 'fast' })
    for (const session of heads.keys()) await fast.ask({ do: 'subscribe', group: 'fast', session, since: 'start' })
    // Run until the heap has reached its size.
    let rssBytesBefore = 0
    for (let round = 0; round < 2 + portions / 4; round++) {
      rssBytesBefore = Math.max(rssBytesBefore, (await portion(alone)).rssBytes)
    }
    const how = { bytesPerSecond: options.slowBytesPerSecond }
    await slow.ask({ do: 'connect', group: 'never', count, port, how: 'never' })
    await slow.ask({ do: 'connect', group: 'slow', count, port, how })
    for (const group of ['never', 'slow']) await slow.ask({ do: 'subscribe', group, session: beside, since: 'start' })

    const measured: { alone: Measured[]; beside: Measured[] } = { alone: [], beside: [] }
    for (let round = 0; round < portions; round++) {
      measured.alone.push(await portion(alone))
      measured.beside.push(await portion(beside))
    }
    const all = [...measured.alone, ...measured.beside]
    for (const group of ['never', 'slow']) await slow.ask({ do: 'release', group })
    const digests: string[] = []
    for (const group of ['never', 'slow']) {
      const read = await slow.ask<Read>({ do: 'await', group, session: beside, head: heads.get(beside)! })
      digests.push(...read.digests)
    }
    const { digest } = await server.ask<Scanned>({ do: 'scan', session: beside })
    return {
      ...measured,
      rssBytesBefore,
      rssBytes: Math.max(...all.map(({ rssBytes }) => rssBytes)),
      unsentBytes: Math.max(...all.map(({ unsentBytes }) => unsentBytes)),
      bytes: portions * turnsPerPortion * eventsPerTurn * eventBytes,
      complete: digests.filter(each => each === digest).length,
    }
  } finally {
    await Promise.all([server, fast, slow].map(child => child.close()))
  }
}

type Measured = Portion & Pick<Produced, 'rssBytes' | 'unsentBytes'>

/** G10: 50 clients that never read, 50 at 1 KB/s and 50 fast ones, over 100 MB. */
export async function benchSlowReaders({ portions = 20, count = 50 } = {}): Promise<BenchLine[]> {
  const options = { count, slowBytesPerSecond: 1_024, turnsPerPortion: 160, eventsPerTurn: 16, eventBytes: 2_048 }
  const measured = await measureSlowReaders({ ...options, portions, everyMs: 8 })
  const { alone, beside, rssBytes, rssBytesBefore, unsentBytes, complete } = measured
  const ratio = (value: (portion: Portion) => number) =>
    median(beside.map((portion, index) => value(portion) / value(alone[index]!)))
  const ms = (values: number[]) => `${median(values).toFixed(1)} ms`
  const of = `${2 * count} slow of ${3 * count}, ${mib(measured.bytes)}`
  return [
    {
      goal: 'G10',
      what: `p99 of the fast ones, ${of}`,
      value: ms(beside.map(({ p99Ms }) => p99Ms)),
      reference: `alone ${ms(alone.map(({ p99Ms }) => p99Ms))}`,
      ratio: ratio(({ p99Ms }) => p99Ms),
      floor: '1.05',
      aim: '1.01',
    },
    {
      goal: 'G10',
      what: 'p99 of a turn of the producer',
      value: ms(beside.map(({ producerP99Ms }) => producerP99Ms)),
      reference: `alone ${ms(alone.map(({ producerP99Ms }) => producerP99Ms))}`,
      ratio: ratio(({ producerP99Ms }) => producerP99Ms),
    },
    {
      goal: 'G10',
      what: 'RSS that the slow ones add at most',
      value: mib(rssBytes - rssBytesBefore),
      reference: `bound ${mib(2 * count * unsentBound)}`,
      ratio: (rssBytes - rssBytesBefore) / (2 * count * unsentBound),
      floor: '1',
    },
    {
      goal: 'G10',
      what: 'most that waits for one connection',
      value: mib(unsentBytes),
      reference: `bound ${mib(unsentBound)}`,
      ratio: unsentBytes / unsentBound,
      floor: '1',
    },
    { goal: 'G10', what: 'slow ones that get all in the end', value: `${complete}`, reference: `${2 * count}` },
  ]
}

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
