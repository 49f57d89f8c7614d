import { describe, expect, it } from 'vitest'
import type { Approval, Run, RunLimits, Session } from '../../protocol/index.ts'
import { processesOf, startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const open = async (config: object = {}) => {
  const daemon = await startTestDaemon({ config })
  return { daemon, peer: await daemon.peer('limiter') }
}
/** Creates a session with a live process. On a busy machine a start may take longer than a limit of these tests. */
const warmSession = async (peer: RpcPeer) => {
  const run = await start(peer, 'sim:text my first', {})
  await ended(peer, run)
  return run.session
}
const start = (peer: RpcPeer, prompt: string, limits: RunLimits, session?: string) =>
  peer.call<Run>('run.start', { ...(session ? { session } : { create: { cwd: tempDir() } }), prompt, limits })
const ended = (peer: RpcPeer, run: Run) => peer.call<Run>('run.wait', { run: run.run })
const failed = (code: string) => ({ state: 'failed', result: { failure: { code } } })
const eventsOf = async (peer: RpcPeer, run: Run) => {
  const events = await readLog(params => peer.call('topic.read', params), run.session)
  expectWholeLog(events)
  return events.filter(event => event.run === run.run)
}
/** Returns Claude Code's own total, as the sum of the figures of its models. */
const counterIn = (log: { type: string }[]) => {
  const { models } = log.findLast(({ type }) => type === 'cost') as unknown as {
    models: Record<string, { costUSD: number }>
  }
  return Object.values(models).reduce((sum, { costUSD }) => sum + costUSD, 0)
}
const processOf = async (peer: RpcPeer, { session }: Run) =>
  (await peer.call<Session>('session.get', { session })).process

describe('a run with limits', () => {
  it.each<[string, RunLimits, string]>([
    ['sim:slow words=100000 delayMs=2000', { timeoutMs: 2_500 }, 'timed_out'],
    ['sim:hang at=text', { inactivityMs: 600 }, 'inactive'],
  ])(
    'fails with all printed text if %s exceeds %j, and its process serves the next prompt',
    async (prompt, limits, code) => {
      const { peer } = await open({ cancelGraceMs: 60_000 })
      const session = await warmSession(peer)
      const run = await start(peer, prompt, limits, session)
      const process = await processOf(peer, run)
      expect(run).toMatchObject({ limits })
      expect(await ended(peer, run)).toMatchObject(failed(code))
      const [[limit, value]] = Object.entries(limits) as [[string, number]]
      const events = await eventsOf(peer, run)
      expect(events.filter(({ type }) => type === 'limit_reached')).toMatchObject([{ limit, value }])
      const printed = events.flatMap(event => (event.type === 'assistant_text' ? [event['delta']] : [])).join('')
      expect(printed).not.toBe('')
      expect(events.at(-1)).toMatchObject({ type: 'failed', response: printed })
      const next = await start(peer, 'sim:text', {}, session)
      expect(await ended(peer, next)).toMatchObject({ state: 'done' })
      expect(await processOf(peer, run)).toEqual(process)
    },
  )

  it('fails as timed_out also if only SIGKILL ends its process', async () => {
    const { daemon, peer } = await open({ cancelGraceMs: 150 })
    const session = await warmSession(peer)
    const run = await start(peer, 'sim:hang ignore=interrupt,int,term', { timeoutMs: 1_500 }, session)
    expect(await ended(peer, run)).toMatchObject(failed('timed_out'))
    const events = await eventsOf(peer, run)
    const steps = events.flatMap(event => (event.type === 'cancel_escalated' ? [event['step']] : []))
    expect(steps).toEqual(['sigint', 'terminate', 'kill'])
    await until(() => expect(processesOf(daemon.home)).toEqual([daemon.pid]))
  })

  it('fails by its limit despite a later cancel, and is cancelled if the cancel came first', async () => {
    const { peer } = await open({ cancelGraceMs: 60_000 })
    const late = await start(peer, 'sim:hang ignore=interrupt', { inactivityMs: 200 }, await warmSession(peer))
    await until(async () =>
      expect(await peer.call('run.get', { run: late.run })).toMatchObject({ state: 'cancelling' }),
    )
    await peer.call('run.cancel', { run: late.run, mode: 'kill' })
    expect(await ended(peer, late)).toMatchObject(failed('inactive'))

    const early = await start(peer, 'sim:hang ignore=interrupt', { timeoutMs: 700 }, await warmSession(peer))
    await until(async () => expect(await peer.call('run.get', { run: early.run })).toMatchObject({ state: 'running' }))
    await peer.call('run.cancel', { run: early.run })
    await until(async () => {
      const { startedAt } = await peer.call<Run>('run.get', { run: early.run })
      expect(Date.now()).toBeGreaterThan(startedAt! + 900)
    })
    await peer.call('run.cancel', { run: early.run, mode: 'kill' })
    expect(await ended(peer, early)).toMatchObject({ state: 'cancelled' })
    expect((await eventsOf(peer, early)).filter(({ type }) => type === 'limit_reached')).toEqual([])
  })

  it('is not inactive while its process prints', async () => {
    const { peer } = await open()
    const session = await warmSession(peer)
    const run = await start(peer, 'sim:slow words=100 delayMs=2000', { inactivityMs: 1_500 }, session)
    const { state, startedAt, endedAt } = await ended(peer, run)
    expect(state).toBe('done')
    expect(endedAt! - startedAt!).toBeGreaterThan(1_500)
  })

  it('is not inactive while it waits for an approval, but its timeout continues', async () => {
    const { peer } = await open()
    const session = await warmSession(peer)
    const asking = async (run: Run) => {
      await until(async () =>
        expect(await peer.call('session.get', { session: run.session })).toMatchObject({ state: 'waiting' }),
      )
      const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { session: run.session })
      return approvals[0]!.approval
    }
    const patient = await start(peer, 'sim:permission', { inactivityMs: 1_500 }, session)
    const approval = await asking(patient)
    await until(async () => {
      const { state, activity } = await peer.call<Run>('run.get', { run: patient.run })
      expect({ state, isSilent: activity!.silentMs > 2_000 }).toEqual({ state: 'running', isSilent: true })
    })
    await peer.call('approval.answer', { approval, decision: 'allow' })
    expect(await ended(peer, patient)).toMatchObject({ state: 'done' })

    const timed = await start(peer, 'sim:permission', { timeoutMs: 2_000 }, session)
    const withdrawn = await asking(timed)
    expect(await ended(peer, timed)).toMatchObject(failed('timed_out'))
    expect(await peer.call('approval.get', { approval: withdrawn })).toMatchObject({ decision: 'withdrawn' })
  })

  it('keeps its deadline after a kill of the daemon, and a run within its limits is done', async () => {
    const { daemon, peer } = await open()
    const silent = await start(peer, 'sim:hang at=text', { timeoutMs: 1_500 })
    const speaking = await start(peer, 'sim:slow words=50 delayMs=2000', { timeoutMs: 60_000, inactivityMs: 20_000 })
    for (const run of [silent, speaking]) await until(async () => expect(await processOf(peer, run)).not.toBeNull())
    await daemon.kill()
    const successor = await startTestDaemon({ home: daemon.home })
    const again = await successor.peer()
    const { startedAt, endedAt } = await ended(again, silent)
    expect(await ended(again, silent)).toMatchObject(failed('timed_out'))
    expect(endedAt! - startedAt!).toBeGreaterThanOrEqual(1_500)
    expect(await ended(again, speaking)).toMatchObject({ state: 'done' })
    expect((await eventsOf(again, silent)).filter(({ type }) => type === 'log_damaged')).toEqual([])
  })

  it.each<[string, RunLimits, string]>([
    ['maxTurns', { maxTurns: 2 }, 'max_turns'],
    ['maxBudgetUsd', { maxBudgetUsd: 0.000_000_1 }, 'max_budget'],
  ])('is bound by %s in a session with a live process, and the next run is not', async (_name, limits, code) => {
    const { peer } = await open()
    const session = await warmSession(peer)
    const limited = await start(peer, 'sim:loop rounds=5', limits, session)
    expect(await ended(peer, limited)).toMatchObject(failed(code))
    const free = await start(peer, 'sim:loop rounds=4', {}, session)
    expect(await ended(peer, free)).toMatchObject({ state: 'done' })
    const history = await ended(peer, await start(peer, 'sim:history', {}, session))
    expect(history.result!.response).toContain('my first')
    const { costUsd } = await peer.call<Session>('session.get', { session })
    const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session })
    expect(runs.reduce((sum, { result }) => sum + result!.costUsd, 0)).toBeCloseTo(costUsd, 9)
    const log = await readLog(params => peer.call('topic.read', params), session)
    // The simulator's counter continues across its processes.
    expect(costUsd).toBeCloseTo(counterIn(log), 9)
    await eventsOf(peer, free)
  })

  it('shares a process with a run of the same maxTurns, but has one of its own if it has a budget', async () => {
    const { peer } = await open()
    const first = await start(peer, 'sim:text', { maxTurns: 3 })
    await ended(peer, first)
    const process = await processOf(peer, first)
    await ended(peer, await start(peer, 'sim:text', { maxTurns: 3, timeoutMs: 60_000 }, first.session))
    expect(await processOf(peer, first)).toEqual(process)
    await ended(peer, await start(peer, 'sim:text', { maxBudgetUsd: 5 }, first.session))
    await until(async () => expect(await processOf(peer, first)).toBeNull())
  })

  it('is rejected with the path of an invalid limit', async () => {
    const { peer } = await open()
    for (const limits of [{ timeoutMs: 0 }, { maxTurns: 1.5 }, { maxBudgetUsd: 0 }, { inactivityMs: 10 ** 12 }]) {
      const [name] = Object.keys(limits)
      await expect(start(peer, 'sim:text', limits)).rejects.toMatchObject({
        error: { data: { kind: 'invalid_params', path: `/limits/${name}` } },
      })
    }
  })
})
