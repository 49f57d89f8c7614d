import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import type { Approval, Run, Session } from '../../protocol/index.ts'
import { methods } from '../../protocol/index.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const killAtCommit = fileURLToPath(new URL('../support/kill-at-commit.cjs', import.meta.url))

type Call = (peer: RpcPeer, session: string, cwd: string) => Promise<Run | Session>
const calls: Record<string, Call> = {
  'session.create': (peer, _session, cwd) => peer.call('session.create', { cwd, key: 'k' }),
  'session.fork': (peer, session) => peer.call('session.fork', { session, key: 'k' }),
  'run.start': (peer, session) => peer.call('run.start', { session, prompt: 'sim:text', key: 'k' }),
  'run.start with create': (peer, _session, cwd) =>
    peer.call('run.start', { create: { cwd }, prompt: 'sim:text', key: 'k' }),
}
const moments = ['1 inside', '1 after', '2 inside', '2 after']
// A call that only creates a session takes a single transaction.
const makesSession = (name: string) => name === 'session.create' || name === 'session.fork'
const cases = Object.keys(calls).flatMap(name =>
  moments.filter(moment => !makesSession(name) || moment.startsWith('1')).map(moment => [name, moment] as const),
)

describe('a call with a key', () => {
  it.each(cases)('of %s takes effect once if it is repeated after a kill at commit %s', async (name, moment) => {
    const home = tempHome()
    const cwd = tempDir()
    const file = `${tempDir()}/armed`
    const env = { NODE_OPTIONS: `--require=${killAtCommit}`, KILL_AT_COMMIT: file }
    const daemon = await startTestDaemon({ home, env })
    const peer = await daemon.peer()
    const { session } = await peer.call<Session>('session.create', { cwd })
    if (name === 'session.fork') {
      const { run } = await peer.call<Run>('run.start', { session, prompt: 'sim:text' })
      await peer.call('run.wait', { run })
    }
    writeFileSync(file, moment)
    const first = await calls[name]!(peer, session, cwd).catch(() => undefined)
    await peer.closed
    await daemon.kill()

    const next = await startTestDaemon({ home })
    const later = await next.peer()
    const second = await calls[name]!(later, session, cwd)
    const third = await calls[name]!(later, session, cwd)
    expect(third).toEqual(second)
    if (first) expect(second).toEqual(first)
    const { sessions } = await later.call<{ sessions: Session[] }>('session.list')
    const { runs } = await later.call<{ runs: Run[] }>('run.list')
    expect(sessions).toHaveLength(name === 'run.start' ? 1 : 2)
    expect(runs).toHaveLength(name === 'session.create' ? 0 : 1)
    for (const { run, session: of } of runs) {
      await later.call('run.wait', { run })
      const events = await readLog(params => later.call('topic.read', params), of)
      expectWholeLog(events)
      expect(events.filter(({ type }) => type === 'run_queued')).toHaveLength(1)
    }
  })

  it.each([
    ['1 inside', 'no'],
    ['1 after', 'yes'],
  ])('of approval.answer takes effect once if it is repeated after a kill at commit %s', async (moment, stored) => {
    const home = tempHome()
    const file = `${tempDir()}/armed`
    const env = { NODE_OPTIONS: `--require=${killAtCommit}`, KILL_AT_COMMIT: file }
    const daemon = await startTestDaemon({ home, env })
    const peer = await daemon.peer()
    const create = { cwd: tempDir() }
    const { run, session } = await peer.call<Run>('run.start', { create, prompt: 'sim:permission' })
    const { approval } = await until(async () => {
      const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list')
      expect(approvals).toHaveLength(1)
      return approvals[0]!
    })
    const answer = (from: RpcPeer) =>
      from.call('approval.answer', { approval, decision: 'deny', message: 'said once', key: 'k' })
    writeFileSync(file, moment)
    await expect(answer(peer)).rejects.toThrow('closed')
    await daemon.kill()

    const next = await startTestDaemon({ home })
    const later = await next.peer()
    // An answer is sent only after it is stored. The next daemon sends a stored answer without a further call.
    if (stored === 'yes') await later.call('run.wait', { run })
    else expect(await later.call('approval.get', { approval })).toMatchObject({ state: 'pending' })
    expect(await answer(later)).toEqual(await answer(later))
    expect((await later.call<Run>('run.wait', { run })).result!.response).toContain('said once')
    const events = await readLog(params => later.call('topic.read', params), session)
    expectWholeLog(events)
    expect(events.filter(({ type }) => type === 'approval_resolved')).toHaveLength(1)
  })

  it('that cannot be stored leaves nothing behind, and its key can be used again', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const other = openSqlite(join(daemon.home, 'muxd.db'))
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    const cwd = tempDir()
    const call = () => calls['run.start with create']!(peer, '', cwd)
    await expect(call()).rejects.toMatchObject({ error: { data: { kind: 'limit' } } })
    expect(await peer.call('session.list')).toEqual({ sessions: [] })
    expect(await peer.call('run.list')).toEqual({ runs: [] })
    other.exec('ROLLBACK')
    const { run } = (await call()) as Run
    expect(await peer.call('run.wait', { run })).toMatchObject({ state: 'done' })
    expect(await call()).toMatchObject({ run })
  })

  it('is tested here for every method that takes a key', () => {
    const keyed = Object.entries(methods).flatMap(([namespace, rows]) =>
      Object.entries(rows).flatMap(([name, row]) => ('key' in row.params.properties ? `${namespace}.${name}` : [])),
    )
    expect(keyed).toEqual([...new Set(Object.keys(calls).map(name => name.split(' ')[0])), 'approval.answer'])
  })
})
