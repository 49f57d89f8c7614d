// The server of the benchmarks of readers: store, journal, topics and server as the daemon puts them together.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { limits } from '../../protocol/limits.ts'
import { claude } from '../../daemon/agents/claude/agent.ts'
import type { RunningServer } from '../../daemon/server/start-server.ts'
import { createJournal } from '../../daemon/store/journal/journal.ts'
import { openStore } from '../../daemon/store/open.ts'
import type { EventRow } from '../../daemon/store/store.ts'
import { createHub } from '../../daemon/topics/delivery/hub.ts'
import { createPublisher } from '../../daemon/topics/publisher.ts'
import { createTopics } from '../../daemon/topics/topics.ts'
import { entry, session as sessionRecord } from '../support/records.ts'
import { startBenchServer } from './bench-server.ts'
import { serveParent } from './child.ts'
import { quantile } from './statistics.ts'

export type ReadersServerCommand =
  | { do: 'start'; limits?: Partial<Record<keyof typeof limits, number>> }
  /** Answered with `Produced` once all is published. `everyMs` 0: as fast as possible. */
  | { do: 'produce'; session: string; turns: number; eventsPerTurn: number; eventBytes: number; everyMs: number }
  /** Answered with `Scanned`. */
  | { do: 'scan'; session: string }

export interface Produced {
  /** p99 of the time from the append of a turn's events to the end of their commit, publication and writes. */
  turnP99Ms: number
  /** The maximum during the production. */
  rssBytes: number
  /** The most bytes that waited in the daemon for any one connection. */
  unsentBytes: number
}

/** The result of a bare read of the rows. `digest` is the hash of all their texts. */
export interface Scanned {
  head: number
  eventsPerSecond: number
  digest: string
}

const dir = mkdtempSync(join(tmpdir(), 'muxd-bench-'))
const store = openStore(join(dir, 'muxd.db'), { ballastBytes: 0 })
const topics = createTopics({ store, instance: 'bench', processesDir: dir, agents: new Map([['claude', claude]]) })
const hub = createHub({ lookup: topics.lookup, limits })
const journal = createJournal(store, createPublisher({ ...topics, hub, now: Date.now }))
let server: RunningServer

async function perform(command: ReadersServerCommand): Promise<object> {
  if (command.do === 'start') return start(command.limits ?? {})
  return command.do === 'produce' ? produce(command) : scan(command.session)
}

async function start(changed: Partial<Record<keyof typeof limits, number>>): Promise<{ port: number }> {
  server = await startBenchServer(hub, topics.lookup, changed)
  return { port: server.port }
}

async function produce(command: ReadersServerCommand & { do: 'produce' }): Promise<Produced> {
  const { session, turns, eventsPerTurn, eventBytes, everyMs } = command
  if (!store.sessions.get(session)) store.sessions.add(sessionRecord(session))
  const log = topics.logs.open(session)
  let seq = log.head()
  const padding = 'x'.repeat(eventBytes)
  const turnsMs: number[] = []
  let most = { rssBytes: 0, unsentBytes: 0 }
  const startedAt = performance.now()
  for (let turn = 0; turn < turns; turn++) {
    const dueIn = startedAt + turn * everyMs - performance.now()
    await (dueIn > 0 ? new Promise(resolve => setTimeout(resolve, dueIn)) : nextTurn())
    const before = performance.now()
    const rows = Array.from({ length: eventsPerTurn }, () => eventOf(++seq, padding))
    journal.append(entry(session, rows))
    journal.flush()
    hub.flush()
    turnsMs.push(performance.now() - before)
    if (turn % 20 === 0) most = larger(most, sample())
  }
  await journal.settled()
  return {
    turnP99Ms: quantile(
      turnsMs.toSorted((a, b) => a - b),
      0.99,
    ),
    ...larger(most, sample()),
  }
}

function sample() {
  const unsentBytes = server.subscribers().furthest.map(subscriber => subscriber.unsentBytes)
  return { rssBytes: process.memoryUsage.rss(), unsentBytes: Math.max(0, ...unsentBytes) }
}

const larger = (one: ReturnType<typeof sample>, other: ReturnType<typeof sample>) => ({
  rssBytes: Math.max(one.rssBytes, other.rssBytes),
  unsentBytes: Math.max(one.unsentBytes, other.unsentBytes),
})

/** An event with the time of its creation, in µs of CLOCK_MONOTONIC. */
function eventOf(seq: number, padding: string): EventRow {
  const atUs = Math.round(Number(process.hrtime.bigint()) / 1e3)
  const text = JSON.stringify({ seq, time: 1, run: null, type: 'assistant_text', delta: padding, atUs })
  return { seq, run: null, type: 'assistant_text', text, process: null, offset: null }
}

function scan(session: string): Scanned {
  const { head } = store.events.bounds(session)
  const startedAt = performance.now()
  let after = 0
  const hash = createHash('sha1')
  const pages: string[][] = []
  while (after < head) {
    const page = store.events.read(session, after, head, limits.eventsPageBytes)
    after += page.length
    pages.push(page)
  }
  const seconds = (performance.now() - startedAt) / 1e3
  for (const page of pages) for (const text of page) hash.update(`${text},`)
  return { head, eventsPerSecond: head / seconds, digest: hash.digest('hex') }
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

serveParent(perform, async () => {
  await server.close({ code: 4000, reason: 'the benchmark is over' })
  store.close()
  rmSync(dir, { recursive: true })
})
