import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMux, type Mux } from '../../client/sdk/mux.ts'
import { openSocket } from '../../client/sdk/node/socket.ts'
import type { Socket } from '../../client/sdk/platform.ts'
import type { Gap } from '../../client/sdk/reader.ts'
import type { Subscription } from '../../client/sdk/topics.ts'
import { createRingLog, type RingLog } from '../../daemon/topics/logs/ring-log.ts'
import { startTestServer, tokens } from '../server/harness.ts'
import { until } from '../support/until.ts'
import { fast } from './harness.ts'

type Server = Awaited<ReturnType<typeof startTestServer>>
type Item = { type: 'said'; seq: number; of: string } | Gap

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      sizes: fc.array(fc.constantFrom(0, 50, 400, 900, 3_000), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
  // Client and server share one event loop: between two turns a message is sent, received or handled.
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turn' as const), turns: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('begin anew' as const, 'lose the newest' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      since: fc.constantFrom('start' as const, 'end' as const, 'cursor' as const),
      window: fc.constantFrom(1_024, 2_000, 10_000, 2_000_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      reader: fc.nat(5),
      count: fc.constantFrom(1, 2, 5, 20),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'abort' as const), reader: fc.nat(5) }) },
)

it('readers get each event once and in order, or a gap, and always reach the head of the log', async () => {
  const server = await startTestServer()
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(30, 100_000),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (kept, steps) => {
        const topic = `session/s_${++runs}` as const
        const log = createLog(server, topic, kept)
        const client = createClient(server)
        const readers: TestReader[] = []
        try {
          for (const each of steps) {
            const reader = 'reader' in each ? readers.filter(({ left }) => !left)[each.reader] : undefined
            if (each.do === 'append') log.append(each.sizes)
            if (each.do === 'cut') client.cut()
            if (each.do === 'turn') for (let turn = 0; turn < each.turns; turn++) await nextTurn()
            if (each.do === 'settle') await client.settled(topic)
            if (each.do === 'begin anew' || each.do === 'lose the newest') {
              log.replace(each.do === 'begin anew')
              client.cut()
            }
            if (each.do === 'join') {
              const before = readers.at(-1)?.subscription.cursor
              const since = each.since === 'cursor' ? (before ?? 'start') : each.since
              readers.push(createTestReader(client.mux, topic, since, each.window))
            }
            if (each.do === 'take') reader?.allow(each.count)
            if (each.do === 'leave' || each.do === 'abort') await reader?.leave(each.do)
          }
          const staying = readers.filter(({ left }) => !left)
          for (const reader of staying) reader.allow(Infinity)
          await until(() => expect(staying.every(({ subscription }) => subscription.cursor)).toBe(true))
          // Ask twice, so that a new connection has subscribed before the second answer. A log that lost its newest
          // events and has grown back to a reader's position under the same epoch looks like a log that lost none.
          for (let asked = 0; asked < 2; asked++) await client.settled(topic)
          log.append([10])
          const head = { epoch: log.epoch(), seq: log.head() }
          await until(() => expect(staying.map(({ at }) => at())).toEqual(staying.map(() => head)), { timeout: 5_000 })
          for (const reader of readers) reader.check()
        } finally {
          for (const reader of readers) if (!reader.left) await reader.leave('leave')
          client.mux.close()
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 40_000 },
  )
})

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

/** A log whose events name their log. */
function createLog(server: Server, topic: string, maxRecords: number) {
  let epochs = 0
  let logs = 0
  let log: RingLog
  const create = () => {
    log = createRingLog({ epoch: `e${epochs}`, maxRecords, maxBytes: Infinity, maxEventBytes: 1_000_000 })
    logs++
    server.logs.set(topic, log)
  }
  create()
  const append = (sizes: readonly number[]) => {
    for (const size of sizes) log.append({ type: 'said', of: `e${epochs}`, text: `${logs}`.padEnd(size, '.') }, 1)
    server.hub.published(topic)
  }
  return {
    epoch: () => log.epoch,
    head: () => log.head(),
    append,
    /** Replaces the log: with a new epoch, or as if a power cut had lost its newest half. */
    replace(anew: boolean) {
      const { length } = Array.from({ length: Math.floor(log.head() / 2) })
      server.hub.closed(topic)
      if (anew) epochs++
      create()
      if (!anew) append(Array.from({ length }, () => 10))
    },
  }
}

function createClient(server: Server) {
  const sockets = new Set<Socket>()
  const open = (url: string, protocols: string[]) => {
    const socket = openSocket(url, protocols)
    sockets.add(socket)
    return socket
  }
  const locate = async () => ({ url: server.url, token: tokens.control })
  const mux = createMux(
    { locate, open, absolute: path => path },
    { timing: { ...fast, retryMinMs: 0, retryMaxMs: 0 }, patient: true },
  )
  return {
    mux,
    /** Resolves when a new request has been answered. */
    async settled(topic: string) {
      await until(() => mux.api.topic.read({ topic, after: 0, limit: 1 }), { interval: 0 })
    },
    cut() {
      for (const socket of sockets) socket.terminate!()
      sockets.clear()
    },
  }
}

interface TestReader {
  subscription: Subscription<unknown>
  /** Lets the reader's handler take `count` more items. */
  allow(count: number): void
  leave(how: 'leave' | 'abort'): Promise<void>
  left: boolean
  /** The reader's position according to the items that it received. */
  at(): { epoch: string; seq: number }
  check(): void
}

function createTestReader(
  mux: Mux,
  topic: `session/${string}`,
  since: 'start' | 'end' | { epoch: string; seq: number },
  window: number,
): TestReader {
  const controller = new AbortController()
  const subscription = mux.subscribe(topic, { since, window, signal: controller.signal })
  const taken: Item[] = []
  let allowed = 1
  let wake = () => {}
  const reader: TestReader = {
    subscription,
    left: false,
    allow(count) {
      allowed += count
      wake()
    },
    async leave(how) {
      reader.left = true
      if (how === 'abort') controller.abort(new Error('aborted'))
      else await subscription.return!()
      wake()
      await done
    },
    at() {
      const item = taken.at(-1)
      if (!item) return { epoch: 'nothing', seq: 0 }
      return item.type === 'gap' ? { epoch: item.epoch, seq: item.to } : { epoch: item.of, seq: item.seq }
    },
    check() {
      for (const [index, item] of taken.entries()) {
        const before = index ? taken[index - 1]! : undefined
        if (!before) continue
        const from = before.type === 'gap' ? before.to : before.seq
        const epoch = before.type === 'gap' ? before.epoch : before.of
        const is = JSON.stringify(item).slice(0, 200)
        if (item.type === 'gap') expect(item.from, is).toBe(from)
        else expect({ seq: item.seq, epoch: item.of }, is).toEqual({ seq: from + 1, epoch })
      }
    },
  }
  const handle = async () => {
    for await (const item of subscription) {
      taken.push(item as unknown as Item)
      while (taken.length >= allowed && !reader.left) await new Promise<void>(resolve => (wake = resolve))
      if (reader.left) break
    }
  }
  const done = handle().catch((error: unknown) => {
    if (!reader.left) throw error
  })
  return reader
}
