import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ApprovalOptions, Run, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { conversation, open } from '../support/conversations.ts'
import { isAlive } from '../support/processes.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run })
const logOf = (peer: RpcPeer, session: string) => readLog(params => peer.call('topic.read', params), session)
const create = async (peer: RpcPeer, approvals?: ApprovalOptions) =>
  (await peer.call<Session>('session.create', { cwd: tempDir(), ...(approvals && { approvals }) })).session
const start = (peer: RpcPeer, session: string, prompt: string) => peer.call<Run>('run.start', { session, prompt })
const update = (peer: RpcPeer, session: string, rules: string[]) =>
  peer.call<Session>('session.update', { session, approvals: { rules } })
const outcome = async (peer: RpcPeer, session: string) =>
  (await ended(peer, await start(peer, session, 'sim:permission'))).result!.response

/** Creates a stand-in for Claude Code that rejects rules, and reports that when it gets a prompt. */
function refusing(): string {
  const path = join(tempDir(), 'claude')
  const lines = `
    if (process.argv.includes('--version')) { console.log('2.1.332 (Claude Code)'); process.exit() }
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      const { type, request_id, request } = JSON.parse(line)
      if (type === 'user') console.log('a prompt came')
      if (type !== 'control_request') return
      const isRules = request.subtype === 'apply_flag_settings'
      const answer = isRules ? { subtype: 'error', error: 'unsupported here' } : { subtype: 'success', response: {} }
      console.log(JSON.stringify({ type: 'control_response', response: { ...answer, request_id } }))
    })`
  writeFileSync(path, `#!${process.execPath}\n${lines}`, { mode: 0o755 })
  return path
}

describe('permission rules of a session', () => {
  it('apply to the first prompt, are replaced as a whole, and can be removed', async () => {
    const peer = await (await startTestDaemon()).peer()
    const session = await create(peer, { policy: 'deny', rules: ['allow Edit'] })
    expect(await outcome(peer, session)).toContain('It was allowed')
    await update(peer, session, ['deny Write', 'allow Edit'])
    expect(await outcome(peer, session)).toContain('It was not allowed')
    await peer.call('session.update', { session, approvals: { policy: 'deny' } })
    expect(await outcome(peer, session)).toContain('It was not allowed')
    const resolved = (await logOf(peer, session)).filter(({ type }) => type === 'approval_resolved')
    // Claude Code decided by its rules. It asked only in the run without rules.
    expect(resolved).toMatchObject([{ decision: 'deny', by: { policy: 'deny' } }])
  })

  it('apply in each process of a session with idleCloseMs 0, and in a fork', async () => {
    const peer = await (await startTestDaemon({ config: { idleCloseMs: 0 } })).peer()
    const session = await create(peer, { policy: 'deny', rules: ['allow Write'] })
    for (const _ of [1, 2]) expect(await outcome(peer, session)).toContain('It was allowed')
    const fork = await peer.call<Session>('session.fork', { session })
    expect(await outcome(peer, fork.session)).toContain('It was allowed')
    await peer.call('session.update', { session, approvals: { policy: 'deny' } })
    expect(await outcome(peer, session)).toContain('It was not allowed')
  })

  it('apply in a session that imports a conversation', async () => {
    const user = tempDir()
    const [, peer] = await open(user)
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text first')
    const { session } = await peer.call<Session>('session.create', {
      cwd,
      conversationId: id,
      approvals: { policy: 'ask', rules: ['deny Write'] },
    })
    expect(await outcome(peer, session)).toContain('It was not allowed')
    expect(await logOf(peer, session)).not.toContainEqual(expect.objectContaining({ type: 'approval_requested' }))
  })

  it('named in an approval_resolved event of an earlier version are still served', async () => {
    const daemon = await startTestDaemon()
    const before = await daemon.peer()
    const session = await create(before, { policy: 'deny' })
    await outcome(before, session)
    await daemon.stop()
    const rule = 'deny Write(src/**)'
    const db = openSqlite(join(daemon.home, 'muxd.db'))
    const isDecision = `WHERE text LIKE '%"approval_resolved"%'`
    const stored = db.value<[], string>(`SELECT text FROM events ${isDecision}`).get()!
    const text = stored.replace('"policy":"deny"', `"policy":${JSON.stringify(rule)}`)
    expect(text).not.toBe(stored)
    // An earlier version of muxd stored no checksum.
    db.prepare<[string]>(`UPDATE events SET text = ?, crc = NULL ${isDecision}`).run(text)
    db.close()
    const peer = await (await startTestDaemon({ home: daemon.home })).peer()
    const resolved = (await logOf(peer, session)).filter(({ type }) => type === 'approval_resolved')
    expect(resolved).toMatchObject([{ decision: 'deny', by: { policy: rule } }])
    expect(await outcome(peer, session)).toContain('It was not allowed')
  })

  it('fail the run when Claude Code refuses them, and no prompt is sent', async () => {
    const peer = await (await startTestDaemon({ argv: ['--claude-bin', refusing()] })).peer()
    const session = await create(peer, { rules: ['deny Bash'] })
    const run = await ended(peer, await start(peer, session, 'never to be sent'))
    expect(run).toMatchObject({
      state: 'failed',
      result: { failure: { code: 'rules_refused', detail: 'unsupported here', retryable: false } },
    })
    expect(JSON.stringify(await logOf(peer, session))).not.toContain('a prompt came')
  })

  it('are not changed by an update that Claude Code refuses', async () => {
    const peer = await (await startTestDaemon({ argv: ['--claude-bin', refusing()] })).peer()
    const session = await create(peer)
    const run = await start(peer, session, 'without rules')
    await until(async () => expect(JSON.stringify(await logOf(peer, session))).toContain('a prompt came'))
    await expect(update(peer, session, ['allow Bash'])).rejects.toMatchObject({
      error: { data: { kind: 'invalid_params', path: '/approvals' } },
    })
    expect((await peer.call<Session>('session.get', { session })).approvals).toBeUndefined()
    await peer.call('run.cancel', { run: run.run, mode: 'kill' })
    await ended(peer, run)
  })

  it.each(['read:0', 'read:1', 'read:2'])('apply to a prompt whose daemon was killed at %s', async place => {
    const first = await startTestDaemon({ env: { MUXD_KILL_AT: place } })
    const { home } = first
    const started = (async () => {
      const peer = await first.peer()
      await start(peer, await create(peer, { policy: 'ask', rules: ['deny Write'] }), 'sim:permission')
    })()
    started.catch(() => {})
    await until(() => expect(isAlive(first.pid)).toBe(false))
    const peer = await (await startTestDaemon({ home })).peer()
    const { runs } = await peer.call<{ runs: Run[] }>('run.list', {})
    expect(runs).toHaveLength(1)
    for (const run of runs) {
      expect((await ended(peer, run)).result!.response).toContain('It was not allowed')
      const log = await logOf(peer, run.session)
      expectWholeLog(log)
      expect(log.map(({ type }) => type)).not.toContain('approval_requested')
      expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    }
  })

  it('match the stored ones after a daemon is killed during an update', async () => {
    const first = await startTestDaemon()
    const { home } = first
    const before = await first.peer()
    const session = await create(before, { policy: 'ask', rules: ['deny Write'] })
    await outcome(before, session)
    await first.kill()
    const second = await startTestDaemon({ home, env: { MUXD_KILL_AT: 'read:1' } })
    const peer = await second.peer()
    update(peer, session, ['allow Write']).catch(() => {})
    await until(() => expect(isAlive(second.pid)).toBe(false))
    const after = await (await startTestDaemon({ home })).peer()
    const { approvals } = await after.call<Session>('session.get', { session })
    const isAllowed = approvals!.rules![0] === 'allow Write'
    expect(await outcome(after, session)).toContain(isAllowed ? 'It was allowed' : 'It was not allowed')
  })
})
