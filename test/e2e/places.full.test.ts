import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Approval, Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/steps-of-prompt.mjs', import.meta.url))

const start = (peer: RpcPeer, prompt: string, session?: string) =>
  peer.call<Run>('run.start', { ...(session ? { session } : { create: { cwd: tempDir() } }), prompt })
const get = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.get', { run })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run, timeoutMs: 30_000 })
const untilState = (peer: RpcPeer, run: Run, state: string) =>
  until(async () => expect(await get(peer, run)).toMatchObject({ state }))
const sessionOf = (peer: RpcPeer, { session }: Run) => peer.call<Session>('session.get', { session })
const untilAsked = (peer: RpcPeer, { session }: Run) =>
  until(async () => {
    const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { session })
    return approvals.find(({ state }) => state === 'pending')!.approval
  })

describe('a run that waits for an approval', () => {
  it.each(['before', 'after'])(
    'lends its slot to another run and takes it back with the answer, %s a restart',
    async when => {
      const argv = ['--simulate', '--max-runs', '1']
      const daemon = await startTestDaemon({ argv })
      const first = await daemon.peer()
      const asking = await start(first, 'sim:permission')
      const approval = await untilAsked(first, asking)
      if (when === 'after') await daemon.kill()
      const peer = when === 'after' ? await (await startTestDaemon({ home: daemon.home, argv })).peer() : first
      const other = await start(peer, 'sim:hang at=text')
      await untilState(peer, other, 'running')
      const queued = await start(peer, 'sim:text')
      expect(await get(peer, queued)).toMatchObject({ state: 'queued', waitingFor: 'slot' })
      // The answered run takes its slot back, even above `maxRuns`.
      await peer.call('approval.answer', { approval, decision: 'allow' })
      expect(await ended(peer, asking)).toMatchObject({ state: 'done' })
      expect(await get(peer, queued)).toMatchObject({ state: 'queued', waitingFor: 'slot' })
      await peer.call('run.cancel', { run: other.run })
      expect(await ended(peer, queued)).toMatchObject({ state: 'done' })
    },
  )
})

describe('a turn that Claude Code begins itself', () => {
  it('uses no slot, before and after a restart', async () => {
    const argv = ['--claude-bin', standIn, '--max-runs', '1']
    const daemon = await startTestDaemon({ argv })
    const peer = await daemon.peer()
    const end = join(tempDir(), 'end')
    const ownTurn = [{ type: 'system', subtype: 'init', model: 'stand-in' }, { until: end }]
    const run = await start(peer, JSON.stringify([{ result: true }, ...ownTurn]))
    const untilOwn = (of: RpcPeer) =>
      until(async () => {
        const { runs } = await of.call<{ runs: Run[] }>('run.list', { session: run.session, state: 'running' })
        expect(runs).toMatchObject([{ origin: { background: {} } }])
      })
    await untilOwn(peer)
    expect(await ended(peer, await start(peer, '[]'))).toMatchObject({ state: 'done' })
    await daemon.kill()
    const later = await (await startTestDaemon({ home: daemon.home, argv })).peer()
    await untilOwn(later)
    expect(await ended(later, await start(later, '[]'))).toMatchObject({ state: 'done' })
    writeFileSync(end, '')
  })
})

describe('idle processes above maxIdleProcesses', () => {
  it('are closed, longest unused first, unless they have an approval or background work', async () => {
    const daemon = await startTestDaemon({ config: { maxIdleProcesses: 2 } })
    const peer = await daemon.peer()
    const asking = await start(peer, 'sim:permission')
    await untilAsked(peer, asking)
    const working = await start(peer, 'sim:background takesMs=10000000')
    await ended(peer, working)
    const runs: Run[] = []
    for (let index = 0; index < 4; index++) {
      const run = await start(peer, 'sim:text')
      expect(await ended(peer, run)).toMatchObject({ state: 'done' })
      runs.push(run)
    }
    await until(async () => {
      const live = await Promise.all(runs.map(async run => (await sessionOf(peer, run)).process !== null))
      expect(live).toEqual([false, false, true, true])
    })
    await ended(peer, await start(peer, 'sim:text', runs[2]!.session))
    const last = await start(peer, 'sim:text')
    await ended(peer, last)
    await until(async () => {
      const live = await Promise.all([...runs, last].map(async run => (await sessionOf(peer, run)).process !== null))
      expect(live).toEqual([false, false, true, false, true])
    })
    for (const run of [asking, working]) expect((await sessionOf(peer, run)).process).not.toBeNull()
    expect(daemon.log()).not.toContain('"level":"error"')
    await peer.call('session.close', { session: asking.session, force: true })
  })
})
