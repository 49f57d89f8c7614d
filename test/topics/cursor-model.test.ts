import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHub } from '../../daemon/topics/hub.ts'
import type { Outbox, Sink } from '../../daemon/topics/outbox.ts'
import { createRingLog } from '../../daemon/topics/ring-log.ts'

const topic = 'sessions'
const limits = { eventsPageBytes: 300, highWaterBytes: 1_000, maxSubscriptions: 10 }

type Step =
  | { do: 'append'; sizes: number[] }
  | { do: 'flush' | 'stall' | 'drain' | 'reconnect' | 'resubscribe' | 'unsubscribe' }
  | { do: 'ack'; seq: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      sizes: fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 8 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'stall' as const, 'drain' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('reconnect' as const, 'resubscribe' as const, 'unsubscribe' as const) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), seq: fc.integer({ min: 0, max: 120 }) }) },
)

/** A client as PROTOCOL.md wants it: it goes on after the last `seq` it has, and a hole makes it subscribe again. */
class Client {
  readonly received: number[] = []
  /** Events the log had trimmed before this client could have them, as it was told. */
  readonly missed = new Set<number>()
  last = 0
  unsent: { bytes: number; onWritten(): void }[] = []
  stalled = false
  outbox: Outbox | undefined
  readonly hub: ReturnType<typeof createHub>
  readonly log: ReturnType<typeof createRingLog>
  readonly window: number | undefined

  constructor(hub: Client['hub'], log: Client['log'], window: number | undefined) {
    this.hub = hub
    this.log = log
    this.window = window
  }

  connect(): void {
    this.outbox?.close()
    this.unsent = []
    const sink: Sink = {
      unsentBytes: () => this.unsent.reduce((sum, { bytes }) => sum + bytes, 0),
      write: (chunks, onWritten) => {
        this.unsent.push({ bytes: chunks.reduce((sum, { length }) => sum + length, 0), onWritten })
        // The bytes are in the socket: what a stalled client gets of them it gets in this order.
        for (const chunk of chunks) this.receive(chunk)
        if (!this.stalled) this.drain()
      },
      fault: error => {
        throw error
      },
    }
    this.outbox = this.hub.attach(sink)
    this.subscribe()
  }

  subscribe(): void {
    const since = { epoch: this.log.epoch, seq: this.last }
    const answer = this.outbox!.subscribe({ topic, since, ...(this.window && { window: this.window }) })
    if (answer.recovered) expect(this.last).toBeGreaterThanOrEqual(answer.first - 1)
    else {
      expect(answer.reason).toBe('trimmed')
      for (let seq = this.last + 1; seq < answer.first; seq++) this.missed.add(seq)
      this.last = answer.first - 1
    }
    this.outbox!.release()
  }

  receive(frame: Buffer): void {
    const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
    const { params } = JSON.parse(frame.subarray(header).toString()) as { params: { events: { seq: number }[] } }
    for (const { seq } of params.events) {
      // A hole: the log was trimmed under the cursor.
      if (seq > this.last + 1) return this.subscribe()
      expect(seq).toBe(this.last + 1)
      this.received.push(seq)
      this.last = seq
    }
  }

  drain(): void {
    const written = this.unsent
    this.unsent = []
    for (const { onWritten } of written) onWritten()
  }
}

const models = [
  ['', undefined, Infinity],
  [' with a window', 1_024, Infinity],
  [' of a log that forgets', undefined, 20],
  [' with a window, of a log that forgets', 1_024, 20],
] as const

test.each(models)(
  'a cursor%s delivers every event once and in order, whatever happens to it',
  (_title, window, maxRecords) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), steps => {
        const log = createRingLog({ epoch: 'i', maxRecords, maxBytes: Infinity, maxEventBytes: 100_000 })
        const hub = createHub({ lookup: () => log, limits })
        const client = new Client(hub, log, window)
        client.connect()
        for (const each of steps) perform(each, client, hub, log)
        client.stalled = false
        client.connect()
        settle(client, hub, log)
        const expected = Array.from({ length: log.head() }, (_, index) => index + 1).filter(
          seq => !client.missed.has(seq),
        )
        expect(client.received).toEqual(expected)
        client.outbox!.close()
        expect(hub.subscriptions()).toBe(0)
      }),
      { numRuns: 300 },
    )
  },
)

function perform(each: Step, client: Client, hub: Client['hub'], log: Client['log']): void {
  switch (each.do) {
    case 'append':
      for (const size of each.sizes) log.append({ text: 'x'.repeat(size) }, 1)
      return hub.published(topic)
    case 'flush':
      return hub.flush()
    case 'stall':
      client.stalled = true
      return undefined
    case 'drain':
      client.stalled = false
      return client.drain()
    case 'reconnect':
      return client.connect()
    case 'resubscribe':
      return client.subscribe()
    case 'unsubscribe':
      client.outbox!.unsubscribe(topic)
      return client.subscribe()
    case 'ack':
      return client.outbox!.ack(topic, each.seq)
  }
}

function settle(client: Client, hub: Client['hub'], log: Client['log']): void {
  for (let turn = 0; turn < 10_000 && client.last < log.head(); turn++) {
    client.drain()
    client.outbox!.ack(topic, client.last)
    hub.flush()
  }
}
