import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DaemonStatus, Run, Session } from '../../protocol/index.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { canInjectFaults, createFaults } from '../support/faults/faults.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** Returns the run's state from each method and topic that reports it. */
async function reported(peer: RpcPeer, { run, session }: Run) {
  const runs = async (params: object) =>
    (await peer.call<{ runs: Run[] }>('run.list', params)).runs.map(({ state }) => state)
  const sessions = async (params: object) =>
    (await peer.call<{ sessions: Session[] }>('session.list', params)).sessions.map(({ state }) => state)
  const topic = `session/${session}`
  const { head } = await peer.call<{ head: number }>('topic.read', { topic, after: 0, limit: 1 })
  const record = await peer.call<Session>('session.get', { session })
  return {
    run: (await peer.call<Run>('run.get', { run })).state,
    waited: (await peer.call<Run>('run.wait', { run, timeoutMs: 0 })).state,
    runs: await runs({ session }),
    cancelling: await runs({ state: 'cancelling' }),
    cancelled: await runs({ state: 'cancelled' }),
    session: record.state,
    isAtTopicsHead: record.head === head,
    sessions: await sessions({}),
    byUse: await sessions({ order: 'used' }),
    running: await sessions({ state: 'running' }),
    idle: await sessions({ state: 'idle' }),
    counts: (await peer.call<DaemonStatus>('daemon.status')).runs,
    log: peer.events(topic).some(({ type }) => type === 'cancelled'),
    topic: peer.events('sessions').some(event => (event['run'] as unknown as Run | null)?.state === 'cancelled'),
  }
}

describe.skipIf(!canInjectFaults)('a run whose end is not yet synced (skipped without a C compiler)', () => {
  it('has not ended in any method or topic', async () => {
    const home = tempHome()
    const faults = createFaults(home)
    const daemon = await startTestDaemon({ home, env: faults.env })
    const peer = await daemon.peer()
    const run = await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt: 'sim:hang at=text' })
    const topic = `session/${run.session}`
    await peer.call('topic.subscribe', { topic, since: 'start' })
    await peer.call('topic.subscribe', { topic: 'sessions', since: 'start' })
    await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'))

    faults.set({ operation: 'sync', path: '*/muxd.db-wal', fault: 'stall' })
    await peer.call('run.cancel', { run: run.run })
    const db = openSqlite(join(home, 'muxd.db'))
    const stored = db.value<[], string>('SELECT state FROM runs')
    await until(() => expect(stored.get()).toBe('cancelled'), { timeout: 20_000 })
    db.close()
    let hasUsage = false
    const usage = peer.call('usage.get').then(() => (hasUsage = true))
    expect(await reported(peer, run)).toEqual({
      run: 'cancelling',
      waited: 'cancelling',
      runs: ['cancelling'],
      cancelling: ['cancelling'],
      cancelled: [],
      session: 'running',
      isAtTopicsHead: true,
      sessions: ['running'],
      byUse: ['running'],
      running: ['running'],
      idle: [],
      counts: { cancelling: 1 },
      log: false,
      topic: false,
    })
    expect(hasUsage).toBe(false)

    faults.set()
    expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'cancelled' })
    await usage
    await until(async () =>
      expect(await reported(peer, run)).toEqual({
        run: 'cancelled',
        waited: 'cancelled',
        runs: ['cancelled'],
        cancelling: [],
        cancelled: ['cancelled'],
        session: 'idle',
        isAtTopicsHead: true,
        sessions: ['idle'],
        byUse: ['idle'],
        running: [],
        idle: ['idle'],
        counts: { cancelled: 1 },
        log: true,
        topic: true,
      }),
    )
  })
})
