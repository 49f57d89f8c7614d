import { expect, it } from 'vitest'
import type { Event, Run } from '../../protocol/index.ts'
import { connectForTest, peerForTest, seqs } from './harness.ts'
import { epoch, event, type Peer } from './peer.ts'
import { until } from '../support/until.ts'

const record = (fields: Partial<Run> = {}): Run => ({
  run: 'r_1',
  session: 's_1',
  state: 'running',
  position: null,
  prompt: 'say hi',
  origin: { client: 'c_1', name: 'me' },
  firstSeq: 4,
  lastSeq: null,
  startedAt: 1,
  endedAt: null,
  result: null,
  ...fields,
})

const tokens = { input: 1, output: 1, cacheCreation: 0, cacheRead: 0 }
const result = { response: 'hi', costUsd: 0.5, tokens }

/** A session whose log has another run before and after this one. */
function withRun(peer: Peer, terminal: object): void {
  const events = [1, 2, 3]
    .map(seq => event(seq, { run: 'r_0' }))
    .concat(event(4), event(5, { run: null }), event(6), event(7, terminal), event(8, { run: 'r_2' }))
  peer.on('run.get', () => record())
  peer.on('topic.subscribe', (params, socket, id) => {
    const { seq } = params['since'] as { seq: number }
    socket.answer(id, { topic: params['topic'], epoch, first: 1, head: 8, recovered: true })
    socket.events('session/s_1', events.slice(seq))
  })
  peer.on('topic.read', params => ({
    epoch,
    events: events.slice(params['after'] as number, (params['after'] as number) + 1),
    head: 8,
  }))
}

it('mux.run starts a run in a new session with an absolute directory and a generated key', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  peer.on('run.start', () => record())
  const run = await mux.run({ prompt: 'say hi', cwd: '.', title: 'T', labels: { a: 'b' }, options: { model: 'm' } })
  expect(run).toMatchObject({ id: 'r_1', session: 's_1' })
  expect(peer.calls('run.start')).toEqual([
    {
      create: { cwd: process.cwd(), title: 'T', labels: { a: 'b' }, options: { model: 'm' } },
      prompt: 'say hi',
      key: expect.stringMatching(/^\d+(-\d+){3}$/) as string,
    },
  ])
})

it('mux.run starts a run in an existing session with the given key', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  peer.on('run.start', () => record())
  await mux.run({ prompt: 'say hi', session: 's_1', key: 'k' })
  expect(peer.calls('run.start')).toEqual([{ session: 's_1', prompt: 'say hi', key: 'k' }])
})

it('mux.run repeats the same request when its answer is lost', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  let lost = 0
  peer.on('run.start', () => (lost++ ? record() : peer.cut()))
  expect((await mux.run({ prompt: 'say hi', cwd: '/' })).id).toBe('r_1')
  const [first, second] = peer.calls('run.start')
  expect(second).toEqual(first)
})

it('run.events yields the events of this run only, from its first to its terminal one', async () => {
  const peer = await peerForTest()
  withRun(peer, { type: 'done' })
  const mux = await connectForTest({ url: peer.url })
  const events: object[] = []
  for await (const each of mux.attach('r_1').events()) events.push(each)
  expect(seqs(events)).toEqual([4, 6, 7])
  expect(peer.calls('topic.subscribe')[0]).toMatchObject({ since: { epoch, seq: 3 } })
  await until(() => expect(peer.calls('topic.unsubscribe')).toHaveLength(1))
})

it('run.events ends when the terminal event lies in a gap', async () => {
  const peer = await peerForTest()
  peer.logs.set('session/s_1', { epoch, first: 20, head: 19 })
  peer.on('run.get', () => record({ lastSeq: 7, state: 'done', result }))
  const mux = await connectForTest({ url: peer.url })
  const events: object[] = []
  for await (const each of mux.attach('r_1').events()) events.push(each)
  expect(events).toEqual([{ type: 'gap', reason: 'trimmed', from: 3, to: 19, epoch }])
})

it('run.result returns the result, also over lost connections', async () => {
  const peer = await peerForTest()
  const mux = await connectForTest({ url: peer.url })
  let cuts = 0
  peer.on('run.wait', () => (cuts++ < 2 ? peer.cut() : record({ state: 'done', lastSeq: 7, result })))
  expect(await mux.attach('r_1').result()).toEqual(result)
})

const failure = { code: 'overloaded', title: 'Overloaded', detail: 'try later', retryable: true } as const
const by = { client: 'c_2', name: 'other' }

it.each<[Run['state'], Partial<Run['result'] & object>, Partial<Event>, object]>([
  [
    'failed',
    { failure },
    { type: 'failed', failure },
    { name: 'RunFailed', failure, message: 'Overloaded: try later' },
  ],
  [
    'cancelled',
    {},
    { type: 'cancelled', by, reason: 'not needed' },
    { name: 'RunCancelled', by, reason: 'not needed', message: 'cancelled by other: not needed' },
  ],
  [
    'interrupted',
    {},
    { type: 'interrupted', reason: 'daemon died' },
    { name: 'RunInterrupted', reason: 'daemon died' },
  ],
])('run.result rejects when the run is %s', async (state, more, terminal, expected) => {
  const peer = await peerForTest()
  withRun(peer, terminal)
  peer.on('run.wait', () => record({ state, lastSeq: 7, result: { ...result, ...more } }))
  const mux = await connectForTest({ url: peer.url })
  await expect(mux.attach('r_1').result()).rejects.toMatchObject({ run: 'r_1', response: 'hi', ...expected })
})

it('run.cancel sends its reason and mode, and sends them again if the answer is lost', async () => {
  const peer = await peerForTest()
  let lost = 0
  peer.on('run.cancel', () => (lost++ ? record({ state: 'cancelling' }) : peer.cut()))
  const mux = await connectForTest({ url: peer.url })
  expect((await mux.attach('r_1').cancel('not needed', { mode: 'kill' })).state).toBe('cancelling')
  expect(peer.calls('run.cancel')[1]).toEqual({ run: 'r_1', reason: 'not needed', mode: 'kill' })
})

it('aborting the signal ends run.events and run.result, but not the run', async () => {
  const peer = await peerForTest()
  withRun(peer, { type: 'status' })
  const mux = await connectForTest({ url: peer.url })
  const controller = new AbortController()
  const events = mux.attach('r_1').events({ signal: controller.signal })
  for (let count = 0; count < 3; count++) await events.next()
  const waiting = events.next()
  const ending = mux.attach('r_1').result({ signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(ending).rejects.toThrow('enough')
  expect(peer.calls('run.cancel')).toEqual([])
})
