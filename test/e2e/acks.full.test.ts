import { describe, expect, it } from 'vitest'
import type { Run } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const window = 8 * 1024
/** Events of about 300 bytes, and a last one that is larger than the window. */
const prompt = 'sim:flood frames=500 size=200'

interface Ack {
  seq: unknown
  /** Default: the topic that the reader subscribed to. */
  topic?: string
}
interface Progress {
  step: number
  /** The highest `seq` acknowledged so far, and the highest received. */
  acked: number
  received: number
}
/** Returns the acks that a client sends when its window is full, before more events can come. */
type Acks = (progress: Progress) => Ack[]

const everything: Acks = ({ received }) => [{ seq: received }]

/**
 * Reads a log with a window and acknowledges as `acks` says. Knows the whole log, and so checks after each step what
 * the daemon had to send and what it must not have sent.
 */
async function readWithWindow(
  peer: RpcPeer,
  session: string,
  acks: Acks,
  {
    send = ack => sendAck(peer, ack),
    timeout = 20_000,
  }: { send?: (ack: Required<Ack>) => void; timeout?: number } = {},
): Promise<void> {
  const topic = `session/${session}`
  const log = await readLog(params => peer.call('topic.read', params), session)
  const sizes = log.map(event => Buffer.byteLength(JSON.stringify(event)))
  const bytes = (from: number, to: number) => sizes.slice(from, to).reduce((sum, size) => sum + size, 0)
  const received = () => peer.events(topic).length
  let acked = 0
  const unacknowledged = () => bytes(acked, received())
  const isFull = () => {
    const at = received()
    return at === log.length || (at > acked && bytes(acked, at + 1) > window)
  }

  await peer.call('topic.subscribe', { topic, since: 'start', window })
  for (let step = 0; ; step++) {
    await until(() => expect(isFull(), `all that fits after ${acked}, not only up to ${received()}`).toBe(true), {
      timeout,
    })
    // After two answered pings, everything that the daemon sent beyond the window has arrived.
    for (let count = 0; count < 2; count++) await peer.call('ping')
    const alone = received() === acked + 1
    if (!alone) expect(unacknowledged(), `bytes after event ${acked}`).toBeLessThanOrEqual(window)
    if (received() === log.length) break
    const said = acks({ step, acked, received: received() })
    for (const ack of said) send({ topic, ...ack })
    const own = said.filter(ack => ack.topic === undefined).map(({ seq }) => seq)
    // An ack that is too high counts up to the last event sent, which has arrived by now.
    const counted = own.filter(seq => Number.isInteger(seq) && (seq as number) >= 0) as number[]
    acked = Math.max(acked, ...counted.map(seq => Math.min(seq, received())))
  }
  expectWholeLog(peer.events(topic), { log })
}

function sendAck(peer: RpcPeer, params: Required<Ack>): void {
  peer.send(JSON.stringify({ jsonrpc: '2.0', method: 'topic.ack', params }))
}

async function startWithLog() {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
  await peer.call('run.wait', { run: run.run })
  return { daemon, peer, session: run.session }
}

describe('a subscription with a window', () => {
  it.each<[string, Acks]>([
    ['are correct', everything],
    ['get lost, two of three', ({ step, received }) => (step % 3 ? [] : [{ seq: received }])],
    [
      'come late, each for half of the received events',
      ({ acked, received }) => [{ seq: Math.ceil((acked + received) / 2) }],
    ],
    ['are doubled', ({ received }) => [{ seq: received }, { seq: received }, { seq: received }]],
    [
      'go backward, at times without a newer one',
      ({ step, acked, received }) => [...(step % 2 ? [] : [{ seq: received }]), { seq: acked }, { seq: 0 }, { seq: 1 }],
    ],
    ['are too high', ({ step, received }) => [{ seq: received + 10 ** (step % 9) }, { seq: 0 }]],
    [
      'are for other topics',
      ({ step, received }) => [
        { topic: 'daemon', seq: received },
        { topic: 'sessions', seq: 1e9 },
        { topic: 'session/s_none', seq: 1e9 },
        ...(step % 2 ? [{ seq: received }] : []),
      ],
    ],
    [
      'are sometimes malformed',
      ({ step, received }) =>
        step % 8 ? [{ seq: received }] : [{ seq: -1 }, { seq: 'all' }, { seq: received + 0.5 }, { seq: null }],
    ],
  ])('keeps to its window, never stalls and delivers every event once when acks %s', async (_, acks) => {
    const { peer, session } = await startWithLog()
    await readWithWindow(peer, session, acks)
  })

  it('keeps to its window while a run produces events', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await peer.call<Run>('run.start', {
      create: { cwd: tempDir() },
      prompt: 'sim:flood frames=3000 rate=2000 size=200',
    })
    const topic = `session/${run.session}`
    await peer.call('topic.subscribe', { topic, since: 'start', window })
    let acked = 0
    await until(
      () => {
        const events = peer.events(topic)
        const unacknowledged = events.slice(acked).map(event => Buffer.byteLength(JSON.stringify(event)))
        if (unacknowledged.length > 1) {
          expect(unacknowledged.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(window)
        }
        for (const seq of [events.length, events.length, acked]) sendAck(peer, { topic, seq })
        acked = events.length
        expect(events.at(-1)?.type).toBe('done')
      },
      { interval: 5 },
    )
    expectWholeLog(peer.events(topic), { log: await readLog(params => peer.call('topic.read', params), run.session) })
  })

  it('ignores acks that belong to an earlier subscription of the same topic', async () => {
    const { peer, session } = await startWithLog()
    const topic = `session/${session}`
    const { epoch } = await peer.call<{ epoch: string }>('topic.subscribe', { topic, since: 'start', window })
    await until(() => expect(peer.events(topic).length).toBeGreaterThan(10))
    await peer.call('topic.unsubscribe', { topic })
    const had = peer.events(topic).length
    for (const seq of [had, 1, 1e9]) sendAck(peer, { topic, seq })
    for (let count = 0; count < 2; count++) await peer.call('ping')
    expect(peer.events(topic)).toHaveLength(had)

    await peer.call('topic.subscribe', { topic, since: { epoch, seq: had }, window })
    await until(() => expect(peer.events(topic).length).toBeGreaterThan(had + 10))
    const full = peer.events(topic).length
    for (const seq of [had, had - 1, 1]) sendAck(peer, { topic, seq })
    for (let count = 0; count < 2; count++) await peer.call('ping')
    expect(peer.events(topic)).toHaveLength(full)
  })
})

describe('the window check of these tests', () => {
  it('fails for a client that sends relative acks', async () => {
    const { peer, session } = await startWithLog()
    let believed = 0
    const client = readWithWindow(peer, session, everything, {
      send(ack) {
        const seq = Number(ack.seq)
        sendAck(peer, { ...ack, seq: seq - believed })
        believed = seq
      },
      timeout: 1_000,
    })
    await expect(client).rejects.toThrow(/all that fits after/)
  })

  it('fails for a daemon that treats acks as relative', async () => {
    const { peer, session } = await startWithLog()
    let total = 0
    const daemon = readWithWindow(
      peer,
      session,
      ({ step, acked, received }) => [{ seq: step % 2 ? received : acked }],
      {
        send: ack => sendAck(peer, { ...ack, seq: (total += Number(ack.seq)) }),
        timeout: 1_000,
      },
    )
    await expect(daemon).rejects.toThrow(/bytes after event/)
  })

  it('fails for a daemon that sends an event twice or omits one', async () => {
    const { peer, session } = await startWithLog()
    const topic = `session/${session}`
    for (const plant of [(all: object[]) => all.toSpliced(3, 0, all[3]!), (all: object[]) => all.toSpliced(3, 1)]) {
      const faulty: RpcPeer = { ...peer, events: of => plant(peer.events(of)) as ReturnType<RpcPeer['events']> }
      await expect(readWithWindow(faulty, session, everything, { timeout: 1_000 })).rejects.toThrow(
        /expected event|all that fits|bytes after/,
      )
      await peer.call('topic.unsubscribe', { topic })
    }
  })
})
