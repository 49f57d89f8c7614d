import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { isAlive } from '../support/processes.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

/** The environment may set a higher number. */
const passes = Number(process.env['PASSES'] ?? 4)
const places = ['gathered', 'committed'].flatMap(point =>
  Array.from({ length: passes }, (_, passed) => `${point}:${passed}`),
)

const approvals = { policy: 'ask', rules: ['deny Write'] }
const start = (peer: RpcPeer, session: string) => peer.call<Run>('run.start', { session, prompt: 'sim:permission' })

/** Checks that every run of the `count` sessions ends according to the rules, and that they accept another run. */
async function expectRuled(peer: RpcPeer, count = 1) {
  const { sessions } = await peer.call<{ sessions: Session[] }>('session.list', {})
  expect(sessions).toHaveLength(count)
  for (const { session } of sessions) {
    const last = await start(peer, session)
    const { runs } = await peer.call<{ runs: Run[] }>('run.list', { session })
    expect(runs.map(({ run }) => run)).toContain(last.run)
    for (const { run } of runs) {
      const ended = await peer.call<Run>('run.wait', { run, timeoutMs: 30_000 })
      expect(ended).toMatchObject({
        state: 'done',
        result: { response: expect.stringContaining('was not allowed') as string },
      })
    }
    const log = await readLog<WireEvent>(params => peer.call('topic.read', params), session)
    expectWholeLog(log)
    expect(log.map(({ type }) => type)).not.toContain('approval_requested')
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
  }
}

describe('a session with permission rules', () => {
  it.each(places)('keeps to its rules after a daemon is killed at %s while the first process starts', async place => {
    const { home, pid, peer: connect } = await startTestDaemon({ env: { MUXD_KILL_AT: place } })
    const peer = await connect()
    const begun = peer
      .call<Session>('session.create', { cwd: tempDir(), approvals })
      .then(({ session }) => start(peer, session))
    begun.catch(() => {})
    await until(() => expect(isAlive(pid)).toBe(false))
    // The first events are those of session.create, so no session is stored before they are committed.
    await expectRuled(await (await startTestDaemon({ home })).peer(), place === 'gathered:0' ? 0 : 1)
  })

  it.each(places)('keeps to its rules after a daemon is killed at %s while it takes the process over', async place => {
    const first = await startTestDaemon()
    const peer = await first.peer()
    const { session } = await peer.call<Session>('session.create', { cwd: tempDir(), approvals })
    await start(peer, session)
    await first.kill()
    const second = await startTestDaemon({ home: first.home, env: { MUXD_KILL_AT: place } }).catch((error: Error) => {
      // It was killed before it was ready.
      expect(error.message).toMatch(/^the daemon ended at once: (?!.*"level":"error")/s)
    })
    if (second) {
      const again = second.peer().then(fresh => start(fresh, session))
      again.catch(() => {})
      await until(() => expect(isAlive(second.pid)).toBe(false))
    }
    await expectRuled(await (await startTestDaemon({ home: first.home })).peer())
  })
})
