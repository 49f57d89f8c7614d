import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/sdk/index.ts'
import type { HookPoint } from '../../daemon/hook-points.ts'
import type { Run, Session, Usage } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { timing } from '../support/follower.ts'
import { isAlive } from '../support/processes.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { readLog } from '../support/whole-log.ts'

const patience = { timeout: 60_000, interval: 20 }
const usage = (peer: RpcPeer, query: object = {}) => peer.call<Usage>('usage.get', query)
const runToEnd = async (peer: RpcPeer, params: object) => {
  const { run } = await peer.call<Run>('run.start', params)
  return peer.call<Run>('run.wait', { run })
}

describe('usage.get', () => {
  it('sums three resumed runs of a session to the last total of Claude Code', async () => {
    const daemon = await startTestDaemon({ config: { idleCloseMs: 0 } })
    const peer = await daemon.peer()
    const first = await runToEnd(peer, { create: { cwd: tempDir() }, prompt: 'sim:tools' })
    const { session } = first
    const runs = [first]
    for (const prompt of ['sim:text', 'sim:subagent']) runs.push(await runToEnd(peer, { session, prompt }))

    const costs = (await readLog(params => peer.call('topic.read', params), session)).filter(
      event => event.type === 'cost',
    )
    const models = costs.at(-1)!['models'] as Record<string, { costUSD: number; outputTokens: number }>
    const counted = Object.values(models)
    expect(costs).toHaveLength(3)
    const byRun = await usage(peer, { session, by: ['run'] })
    for (const { run, result } of runs) {
      expect(byRun.rows.find(row => row.run === run)).toMatchObject({ runs: 1, costUsd: result!.costUsd })
    }
    const { total } = byRun
    expect(total.runs).toBe(3)
    expect(total.costUsd).toBeCloseTo(counted[0]!.costUSD, 9)
    expect(total.costUsd).toBeCloseTo((await peer.call<Session>('session.get', { session })).costUsd, 9)
    expect(total.tokens.output).toBe(counted[0]!.outputTokens)
    expect(await usage(peer, { session, by: ['model'] })).toMatchObject({
      rows: [{ model: 'muxd-simulator', runs: 3, costUsd: total.costUsd }],
      more: 0,
    })
  })

  it('counts the two results of a background task once each, and continues after /clear', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const { session } = await runToEnd(peer, { create: { cwd: tempDir() }, prompt: 'sim:background takesMs=300' })
    await until(async () => {
      const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session, state: 'done' })
      expect(runs).toHaveLength(2)
    }, patience)
    await runToEnd(peer, { session, prompt: '/clear' })
    await runToEnd(peer, { session, prompt: 'sim:text' })
    const { rows, total } = await usage(peer, { session, by: ['run'] })
    expect(rows).toHaveLength(3)
    expect(total.costUsd).toBeCloseTo((await peer.call<Session>('session.get', { session })).costUsd, 9)
  })

  it('returns the same rows after the session is deleted and the daemon is restarted', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const { session, run } = await runToEnd(peer, { create: { cwd: tempDir() }, prompt: 'sim:text' })
    const before = await usage(peer, { by: ['session', 'run', 'model', 'day'] })
    expect(before.rows).toMatchObject([{ session, run, model: 'muxd-simulator' }])
    await peer.call('session.delete', { session })
    expect(await usage(peer, { by: ['session', 'run', 'model', 'day'] })).toEqual(before)
    await daemon.stop()
    const again = await startTestDaemon({ home: daemon.home })
    expect(await usage(await again.peer(), { by: ['session', 'run', 'model', 'day'] })).toEqual(before)
  })

  it('returns nothing older than keepUsageMs after daemon.gc', async () => {
    const daemon = await startTestDaemon({ config: { keepUsageMs: 1 } })
    const peer = await daemon.peer()
    await runToEnd(peer, { create: { cwd: tempDir() }, prompt: 'sim:text' })
    expect((await usage(peer)).total.runs).toBe(1)
    await peer.call('daemon.gc', { dryRun: true })
    expect((await usage(peer)).total.runs).toBe(1)
    await peer.call('daemon.gc')
    expect(await usage(peer)).toMatchObject({ rows: [], total: { runs: 0, costUsd: 0 } })
  })

  it('filters by time, groups by day in the given time zone, and limits the rows', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    expect(await usage(peer)).toMatchObject({ rows: [], more: 0, total: { costUsd: 0, runs: 0 } })
    const ended: Run[] = []
    for (let count = 0; count < 3; count++)
      ended.push(await runToEnd(peer, { create: { cwd: tempDir() }, prompt: 'sim:text' }))
    const { endedAt } = ended[1]!
    expect((await usage(peer, { from: endedAt! + 1, to: ended[2]!.endedAt! + 1 })).total.runs).toBe(1)
    const kiritimati = await usage(peer, { by: ['day'], timeZone: 'Pacific/Kiritimati' })
    const pagoPago = await usage(peer, { by: ['day'], timeZone: 'Pacific/Pago_Pago' })
    // The two time zones are 25 hours apart.
    expect(kiritimati.rows[0]!.day! > pagoPago.rows[0]!.day!).toBe(true)
    const cut = await usage(peer, { by: ['run'], limit: 2 })
    expect(cut).toMatchObject({ rows: [{ runs: 1 }, { runs: 1 }], more: 1, total: { runs: 3 } })
    await expect(usage(peer, { timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
      error: { data: { kind: 'invalid_params', path: '/timeZone' } },
    })
  })
})

const places: [HookPoint, number][] = [
  ['gathered', 3],
  ['committed', 3],
  ['synced', 0],
]

describe('a daemon that is killed', () => {
  it.each(places)('at kill point %s, passed %i times before, loses and duplicates no cost', async (point, count) => {
    const { home, pid } = await startTestDaemon({ env: { MUXD_KILL_AT: `${point}:${count}` } })
    const starter = await connect({ home, timing, patient: true })
    onTestFinished(() => starter.close())
    const first = starter.run({ prompt: 'sim:text', cwd: tempDir() })
    await until(() => expect(isAlive(pid)).toBe(false), patience)
    const daemon = await startTestDaemon({ home })
    const { session } = await first
    await (await first).result()
    await (await starter.run({ prompt: 'sim:text', session })).result()
    const peer = await daemon.peer()
    const costs = (await readLog(params => peer.call('topic.read', params), session)).filter(
      event => event.type === 'cost',
    )
    const { rows } = await usage(peer, { session, by: ['run'] })
    expect(costs).toHaveLength(2)
    expect(Object.fromEntries(rows.map(({ run, costUsd }) => [run, costUsd]))).toEqual(
      Object.fromEntries(costs.map(({ run, runCostUsd }) => [run, runCostUsd])),
    )
  })
})
