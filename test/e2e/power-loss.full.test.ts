import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Event, Gap } from '../../client/sdk/index.ts'
import type { FrameEvent, Run } from '../../protocol/index.ts'
import { terminalTypes } from '../../protocol/wire.ts'
import { connectForTest } from '../client/harness.ts'
import { canMount, startTestDaemon, tempHome } from '../support/daemon.ts'
import { canInjectFaults, createFaults } from '../support/faults/faults.ts'
import { cutPower } from '../support/faults/power-cut.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const isTerminal = ({ type }: WireEvent) => (terminalTypes as readonly string[]).includes(type)

/** Checks that everything a client saw up to the last terminal event is unchanged. */
function expectKept(log: WireEvent[], seen: WireEvent[]) {
  const ends = seen.findLastIndex(isTerminal) + 1
  expect(log.slice(0, ends)).toEqual(seen.slice(0, ends))
}

async function daemonUnderLoad() {
  const home = tempHome()
  const faults = createFaults(home)
  const daemon = await startTestDaemon({ home, env: faults.env, boot: 'first' })
  const peer = await daemon.peer()
  const sessions = new Map<string, { epoch: string }>()
  const watch = async (run: Run) => {
    const topic = `session/${run.session}`
    sessions.set(run.session, await peer.call<{ epoch: string }>('topic.subscribe', { topic, since: 'start' }))
  }
  // One run is active all the time. The other sessions' runs end one after another, at their own pace.
  await watch(await start(peer, 'sim:flood frames=1000000 size=200 rate=500'))
  for (let index = 0; index < 3; index++) await watch(await start(peer, 'sim:text'))
  const prompts = ['sim:text', 'sim:tools', 'sim:crash', 'sim:flood frames=300 size=300']
  for (const session of [...sessions.keys()].slice(1)) {
    for (const prompt of prompts) await peer.call<Run>('run.start', { session, prompt })
  }
  return { home, faults, daemon, peer, sessions, seen: (session: string) => peer.events(`session/${session}`) }
}

async function finishedLog(peer: RpcPeer, session: string): Promise<WireEvent[]> {
  const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session })
  // The new daemon starts a run that had no process yet, and that run might last.
  for (const { run } of runs) await peer.call('run.cancel', { run, mode: 'kill' })
  for (const { run } of runs) await peer.call('run.wait', { run })
  const log = await readLog<WireEvent>(params => peer.call('topic.read', params), session)
  expectWholeLog(log)
  return log
}

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const endsSeen = (seen: WireEvent[][]) => seen.flat().filter(isTerminal).length

describe.skipIf(!canInjectFaults || !canMount)('a power cut (skipped without a C compiler or private mounts)', () => {
  it.each([1, 4, 9])('after %i ended runs keeps their events and begins a new epoch', async ends => {
    const { home, faults, daemon, sessions, seen } = await daemonUnderLoad()
    await until(() => expect(endsSeen([...sessions.keys()].map(seen))).toBeGreaterThanOrEqual(ends))
    await cutPower(daemon, faults)

    const next = await startTestDaemon({ home, boot: 'second' })
    const peer = await next.peer()
    expect(next.log()).toContain('new epoch')
    for (const [session, { epoch }] of sessions) {
      const topic = `session/${session}`
      const log = await finishedLog(peer, session)
      expectKept(log, seen(session))
      const frames = await readLog<FrameEvent>(params => peer.call('topic.read', params), `${session}/frames`)
      const results = frames.filter(({ frame }) => (frame as { type?: string } | null)?.type === 'result')
      const done = seen(session).filter(({ type }) => type === 'done')
      expect(results.length).toBeGreaterThanOrEqual(done.length)
      const since = { epoch, seq: seen(session).at(-1)!.seq }
      expect(await peer.call('topic.subscribe', { topic, since })).toMatchObject({
        recovered: false,
        reason: 'epoch_changed',
      })
    }
  })

  it('gives an SDK client a gap followed by the whole log', async () => {
    const { home, faults, daemon, sessions, seen } = await daemonUnderLoad()
    const [session] = sessions.keys()
    // The first end of a run syncs the session. Before it, a power cut may lose the session.
    await until(() => expect(endsSeen([...sessions.keys()].map(seen))).toBeGreaterThanOrEqual(1))
    const mux = await connectForTest({ home })
    const items: (Event | Gap)[] = []
    const following = (async () => {
      for await (const item of mux.subscribe(`session/${session!}`, { since: 'start' })) items.push(item)
    })()
    await until(() => expect(items.length).toBeGreaterThan(100))
    await cutPower(daemon, faults)

    const next = await startTestDaemon({ home, boot: 'second' })
    const peer = await next.peer()
    const log = await finishedLog(peer, session!)
    await until(() => expect(items.at(-1)).toEqual(log.at(-1)))
    const gap = items.findIndex(({ type }) => type === 'gap')
    expect(items[gap]).toMatchObject({ reason: 'epoch_changed', to: 0 })
    expect(items.slice(gap + 1)).toEqual(log)
    mux.close()
    await expect(following).rejects.toThrow('the connection was closed')
  })

  it('revokes ended runs if syncs have no effect, which the check detects', async () => {
    const { home, faults, daemon, peer, sessions, seen } = await daemonUnderLoad()
    await until(() => expect(endsSeen([...sessions.keys()].map(seen))).toBeGreaterThanOrEqual(1))
    // Save the synced copies now and restore them after later syncs, as if those syncs had had no effect.
    const old = join(tempDir(), 'synced')
    mkdirSync(old)
    const synced = new Map(
      [...faults.synced()].map(([path, kept], index) => {
        copyFileSync(kept, join(old, String(index)))
        return [path, join(old, String(index))]
      }),
    )
    const [, other] = sessions.keys()
    const late = await peer.call<Run>('run.start', { session: other, prompt: 'sim:text' })
    await until(() => expect(seen(other!).at(-1)).toMatchObject({ type: 'done', run: late.run }))
    await cutPower(daemon, { ...faults, synced: () => synced })

    const next = await startTestDaemon({ home, boot: 'second' })
    const later = await next.peer()
    const check = async () => {
      for (const session of sessions.keys()) {
        const log = await readLog<WireEvent>(params => later.call('topic.read', params), session)
        expectKept(log, seen(session))
      }
    }
    await expect(check()).rejects.toThrow('to deeply equal')
  })
})
