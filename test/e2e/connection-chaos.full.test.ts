import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ConnectionState, connect, type Event, type Gap, type Mux, type Run } from '../../client/sdk/index.ts'
import { type Behind, hasty, startBehindProxy } from '../support/behind-proxy.ts'
import { fates } from '../support/chaos-proxy.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { createRandom, type Random } from '../support/random.ts'
import { tempDir } from '../support/temp-dir.ts'
import { testSeed } from '../support/test-seed.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

interface Client {
  mux: Mux
  states: ConnectionState[]
}

/** Connects a client through the proxy and records every state that it reports. */
async function connectBehind({ proxy, daemon }: Behind): Promise<Client> {
  const { token } = daemon.info
  const mux = await connect({ url: proxy.url, token, timing: hasty, patient: true })
  onTestFinished(() => mux.close())
  const states: ConnectionState[] = []
  mux.onState((state, why) => {
    states.push(state)
    expect(why instanceof Error, `why it is ${state}`).toBe(state !== 'open')
  })
  return { mux, states }
}

/** Reads the events of a session up to its terminal event number `ends`, at a random pace and with a random window. */
async function follow(mux: Mux, session: string, random: Random, ends = 1): Promise<(Event | Gap)[]> {
  const window = Math.floor(1_024 * 2 ** (random.next() * 11))
  // The handler is fast, or sometimes so slow that events wait while connections come and go.
  const takesMs = random.pick([0, 20, 100])
  const taken: (Event | Gap)[] = []
  for await (const item of mux.subscribe(`session/${session}`, { since: 'start', window })) {
    taken.push(item)
    if (terminal.has(item.type) && --ends === 0) break
    if (takesMs > 0 && taken.length % (5 * takesMs) === 0) await delay(takesMs)
  }
  return taken
}
const terminal = new Set(['done', 'failed', 'cancelled', 'interrupted'])

const expectWhole = async (direct: Mux, session: string, taken: (Event | Gap)[]) =>
  expectWholeLog(taken, { log: await readLog(direct.api.topic.read, session) })

describe('clients behind a faulty connection', () => {
  it.each([1, 2])('get every event once and in order, and report their state (usual seed %i)', async usual => {
    const seed = testSeed(usual)
    const started = await startBehindProxy()
    const { proxy, direct } = started
    const random = createRandom(seed)
    const runs = await Promise.all(
      [1, 2, 3].map(() => direct.run({ prompt: 'sim:flood frames=4000 rate=600 size=200', cwd: tempDir() })),
    )
    proxy.rage(seed)
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectBehind(started)))
    const followed = clients.flatMap(({ mux }) =>
      runs.map(async run => ({ session: run.session, taken: await follow(mux, run.session, random) })),
    )
    await Promise.all(runs.map(run => run.result()))
    proxy.calm()

    for (const { session, taken } of await Promise.all(followed)) await expectWhole(direct, session, taken)
    for (const { mux, states } of clients) {
      await until(() => expect(mux.state).toBe('open'))
      expect(states.length, 'it lost its connection').toBeGreaterThan(1)
      // The two states alternate and no other occurs: the first connection was open, and no client closed it.
      expect(states).toEqual(states.map((_state, index) => (index % 2 ? 'open' : 'recovering')))
    }
    expect([...proxy.met.keys()].sort()).toEqual(fates.toSorted())
  })

  it('start each run once, however often its request or answer is lost', async () => {
    const started = await startBehindProxy()
    const { proxy, direct } = started
    proxy.rage(testSeed(3), { maxBytes: 4_000 })
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectBehind(started)))
    const starts = clients.flatMap(({ mux }, of) =>
      Array.from({ length: 6 }, (_, index) => mux.run({ prompt: `sim:text ${of} ${index}`, cwd: tempDir() })),
    )
    // Every call is answered despite the faults, because the SDK does not stop trying.
    const handles = await Promise.all(starts)
    proxy.calm()
    const { runs } = await direct.api.run.list({ limit: 1_000 })
    expect(runs.map(({ run }) => run).sort()).toEqual(handles.map(({ id }) => id).sort())
    for (const handle of handles) {
      await handle.result()
      const log = await readLog(direct.api.topic.read, handle.session)
      expectWholeLog(log, { log })
    }
  })
})

describe('a run.start call whose answer is lost', () => {
  it('starts one run, and returns it to the caller after a reconnect', async () => {
    const started = await startBehindProxy()
    const { proxy, direct } = started
    const { mux } = await connectBehind(started)
    proxy.mute()
    const asked = mux.run({ prompt: 'sim:text', cwd: tempDir() })
    const [run] = await until(async () => {
      const { runs } = await direct.api.run.list({})
      expect(runs).toHaveLength(1)
      return runs as [Run]
    })
    proxy.reset()
    const handle = await asked
    expect(handle.id).toBe(run.run)
    await handle.result()
    expect((await direct.api.run.list({})).runs).toHaveLength(1)
  })

  it('starts one run, also if the daemon is killed before the retry', async () => {
    const started = await startBehindProxy()
    const { daemon, proxy, direct } = started
    const { mux } = await connectBehind(started)
    proxy.mute()
    const asked = mux.run({ prompt: 'sim:hang at=text', cwd: tempDir() })
    const [run] = await until(async () => {
      const { runs } = await direct.api.run.list({})
      expect(runs).toMatchObject([{ state: 'running' }])
      return runs as [Run]
    })
    await daemon.kill()
    const next = await startTestDaemon({ home: daemon.home, config: proxy.config })
    proxy.aim(Number(new URL(next.info.url).port))
    proxy.reset()
    expect((await asked).id).toBe(run.run)
    expect((await direct.api.run.list({})).runs).toHaveLength(1)
  })
})
