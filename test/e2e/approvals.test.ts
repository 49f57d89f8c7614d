import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalOptions, Run, Session } from '../../protocol/index.ts'
import { sharedTestDaemon, startTestDaemon, type TestDaemon, type TestDaemonOptions } from '../support/daemon.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const shared = sharedTestDaemon()
/** Returns the shared daemon, or one of its own if there are options. */
const open = async (options?: TestDaemonOptions): Promise<[TestDaemon, RpcPeer]> => {
  const daemon = options === undefined ? shared() : await startTestDaemon(options)
  return [daemon, await daemon.peer('asker')]
}
const start = (peer: RpcPeer, prompt: string, approvals?: ApprovalOptions) =>
  peer.call<Run>('run.start', { create: { cwd: tempDir(), ...(approvals && { approvals }) }, prompt })
const again = (peer: RpcPeer, { session }: Run, prompt: string) => peer.call<Run>('run.start', { session, prompt })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run })
const list = async (peer: RpcPeer, filter: object = {}) =>
  (await peer.call<{ approvals: Approval[] }>('approval.list', filter)).approvals
/** Waits for the only pending approval and returns it. */
const pending = (peer: RpcPeer, after?: Approval) =>
  until(async () => {
    const found = await list(peer)
    expect(found).toHaveLength(1)
    expect(found[0]!.approval).not.toBe(after?.approval)
    return found[0]!
  })
const answer = (peer: RpcPeer, { approval }: Approval, given: object) =>
  peer.call<Approval>('approval.answer', { approval, ...given })
const allow = { decision: 'allow' }
const logOf = async (peer: RpcPeer, { session, run }: Run) => {
  const events = await readLog(params => peer.call('topic.read', params), session)
  expectWholeLog(events, { running: [run] })
  return events
}
const resolved = async (peer: RpcPeer, run: Run) =>
  (await logOf(peer, run)).filter(({ type }) => type === 'approval_resolved')
const failure = (kind: string, more: object = {}) => ({ error: { data: { kind, ...more } } })

describe('an approval that Claude Code requests', () => {
  it('is visible to all clients, and its session waits until the answer', async () => {
    const [daemon, peer] = await open()
    await peer.call('topic.subscribe', { topic: 'sessions' })
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    expect(approval).toMatchObject({
      session: run.session,
      run: run.run,
      kind: 'tool',
      tool: 'Write',
      state: 'pending',
    })
    expect(approval).toMatchObject({ input: { content: expect.any(String) as string }, expiresAt: null })
    const session = await peer.call<Session>('session.get', { session: run.session })
    expect(session.state).toBe('waiting')
    expect(await peer.call('session.list', { state: 'waiting' })).toMatchObject({ sessions: [session] })
    const records = () => peer.events('sessions').filter(({ type }) => type === 'approval_changed')
    await until(() => expect(records()).toMatchObject([{ approval }]))

    const later = await daemon.peer('comes later')
    expect(await list(later, { session: run.session })).toEqual([approval])
    expect(await later.call('approval.get', { approval: approval.approval })).toEqual(approval)
    const { seq: _, time, ...asked } = (await logOf(later, run)).at(-1) as WireEvent
    expect(time).toBe(approval.requestedAt)
    const { session: _s, state: _st, requestedAt: _r, expiresAt: _e, ...rest } = approval
    expect(asked).toEqual({ type: 'approval_requested', ...rest })

    await answer(later, approval, allow)
    expect(await ended(peer, run)).toMatchObject({
      state: 'done',
      result: { response: expect.stringContaining('It was allowed') as string },
    })
    expect(await list(peer)).toEqual([])
    expect(await list(peer, { state: 'resolved' })).toMatchObject([{ decision: 'allow', by: { name: 'comes later' } }])
    await until(() => expect(records()).toMatchObject([{}, { approval: { state: 'resolved' } }]))
    expect((await peer.call<Session>('session.get', { session: run.session })).state).toBe('idle')
  })

  it('passes the message of a denial to Claude, and the run continues', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    await answer(peer, await pending(peer), { decision: 'deny', message: 'not in this house' })
    expect((await ended(peer, run)).result!.response).toContain('not in this house')
    expect(await resolved(peer, run)).toMatchObject([
      { decision: 'deny', by: { name: 'asker' }, message: 'not in this house' },
    ])
  })

  it('cancels the run in the name of the client if it is denied with interrupt', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    await answer(peer, await pending(peer), { decision: 'deny', interrupt: true, message: 'stop that' })
    expect((await ended(peer, run)).state).toBe('cancelled')
    const events = await logOf(peer, run)
    expect(events.filter(({ type }) => type.startsWith('cancel'))).toMatchObject([
      { type: 'cancel_requested', by: { name: 'asker' }, reason: 'stop that', mode: 'interrupt' },
      { type: 'cancelled', by: { name: 'asker' }, reason: 'stop that', ended: 'turn' },
    ])
  })

  it('can be allowed with a changed input, which the log records', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    const input = { file_path: '/else/where.txt', content: 'x' }
    await answer(peer, await pending(peer), { ...allow, input })
    expect((await ended(peer, run)).result!.response).toContain('/else/where.txt')
    expect(await resolved(peer, run)).toMatchObject([{ decision: 'allow', input }])
  })

  it('is not requested again in its session after an answer with remember', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission command=ls')
    const approval = await pending(peer)
    await answer(peer, approval, { ...allow, remember: true })
    await ended(peer, run)
    const [{ remembered }] = (await resolved(peer, run)) as unknown as [{ remembered: object[] }]
    expect(remembered).toMatchObject([{ type: 'addRules', destination: 'session' }])
    expect(approval.suggestions).toMatchObject([{ destination: 'localSettings' }])
    expect((await ended(peer, await again(peer, run, 'sim:permission command=ls'))).state).toBe('done')
    const other = await again(peer, run, 'sim:permission command=pwd')
    await answer(peer, await pending(peer), { decision: 'deny' })
    await ended(peer, other)
  })

  it('of kind question takes answers keyed by the text of the question', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:question multi=true Which colours?')
    const approval = await pending(peer)
    expect(approval).toMatchObject({ kind: 'question', tool: 'AskUserQuestion' })
    await answer(peer, approval, { ...allow, answers: { 'Which colours?': ['Red', 'Blue'] } })
    expect((await ended(peer, run)).result!.response).toContain('"Which colours?":"Red, Blue"')
  })

  it('of kind plan can be denied with a message, and Claude keeps planning', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:plan')
    const approval = await pending(peer)
    expect(approval).toMatchObject({ kind: 'plan', input: { plan: expect.stringContaining('Pretend') as string } })
    await answer(peer, approval, { decision: 'deny', message: 'think again' })
    expect((await ended(peer, run)).result!.response).toContain('I keep planning')
  })

  it('comes once for each of several tool calls, one after the other', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission tools=2')
    const first = await pending(peer)
    await answer(peer, first, allow)
    const second = await pending(peer, first)
    expect(second.toolUseId).not.toBe(first.toolUseId)
    await answer(peer, second, allow)
    expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    expect(await resolved(peer, run)).toHaveLength(2)
  })
})

describe('approval.answer', () => {
  it('lets the first answer decide, rejects a second with conflict, and publishes who gave the first', async () => {
    const [daemon, peer] = await open()
    const others = [await daemon.peer('second'), await daemon.peer('third')] as const
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    for (const each of [peer, ...others])
      await each.call('topic.subscribe', { topic: `session/${run.session}`, since: 'start' })
    const decided = await answer(others[0], approval, allow)
    expect(decided).toMatchObject({
      state: 'resolved',
      decision: 'allow',
      by: { name: 'second' },
      resolvedAt: expect.any(Number) as number,
    })
    await expect(answer(others[1], approval, { decision: 'deny' })).rejects.toMatchObject(
      failure('conflict', { by: decided.by, decision: 'allow', approval: approval.approval }),
    )
    for (const each of [peer, ...others]) {
      const told = () => each.events(`session/${run.session}`).filter(({ type }) => type === 'approval_resolved')
      await until(() => expect(told()).toMatchObject([{ by: { name: 'second' }, decision: 'allow' }]))
    }
    await ended(peer, run)
  })

  it('accepts one of two simultaneous answers and rejects the other with conflict', async () => {
    const [daemon, peer] = await open()
    const other = await daemon.peer('other')
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    const both = await Promise.allSettled([
      answer(peer, approval, allow),
      answer(other, approval, { decision: 'deny' }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = both.find(each => each.status === 'rejected')!
    expect(refused.reason).toMatchObject(failure('conflict'))
    await ended(peer, run)
    expect(await resolved(peer, run)).toHaveLength(1)
  })

  it('returns the first result to a call repeated with the same key', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    const first = await answer(peer, approval, { ...allow, key: 'k' })
    expect(await answer(peer, approval, { ...allow, key: 'k' })).toEqual(first)
    await ended(peer, run)
  })

  it('rejects an invalid answer with the path of the mistake, and the approval stays pending', async () => {
    const [daemon, peer] = await open()
    const run = await start(peer, 'sim:question Which one?')
    const approval = await pending(peer)
    const refused = (path: string) => failure('invalid_params', { path, expected: expect.any(String) as string })
    await expect(answer(peer, approval, { ...allow, answers: { 'Which two?': 'x' } })).rejects.toMatchObject(
      refused('/answers/Which two?'),
    )
    await expect(answer(peer, approval, allow)).rejects.toMatchObject(refused('/answers'))
    await expect(
      answer(peer, approval, { ...allow, remember: true, answers: { 'Which one?': 'x' } }),
    ).rejects.toMatchObject(refused('/remember'))
    await expect(answer(peer, approval, { decision: 'deny', input: {} })).rejects.toMatchObject(refused('/input'))
    const observer = await daemon.peer('observer', daemon.info.observeToken)
    await expect(answer(observer, approval, { decision: 'deny' })).rejects.toMatchObject(failure('forbidden'))
    expect(await list(observer)).toEqual([approval])
    await expect(peer.call('approval.answer', { approval: 'a_none', ...allow })).rejects.toMatchObject(
      failure('not_found'),
    )
    await answer(peer, approval, { decision: 'deny' })
    await ended(peer, run)
  })
})

describe('a pending approval', () => {
  it('is withdrawn in the name of the client that cancels its run', async () => {
    const [daemon, peer] = await open()
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    const canceller = await daemon.peer('canceller')
    await canceller.call('run.cancel', { run: run.run })
    await expect(answer(peer, approval, allow)).rejects.toMatchObject(
      failure('conflict', { decision: 'withdrawn', by: { name: 'canceller' } }),
    )
    expect((await ended(peer, run)).state).toBe('cancelled')
    const types = (await logOf(peer, run)).map(({ type }) => type)
    expect(types.indexOf('approval_resolved')).toBeLessThan(types.indexOf('cancelled'))
    expect(await resolved(peer, run)).toMatchObject([{ decision: 'withdrawn', by: { name: 'canceller' } }])
    expect((await peer.call<Session>('session.get', { session: run.session })).state).toBe('idle')
  })

  it.each(['terminate', 'kill'])('is withdrawn when its run is cancelled with mode %s', async mode => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    await pending(peer)
    await peer.call('run.cancel', { run: run.run, mode })
    await ended(peer, run)
    expect(await list(peer)).toEqual([])
    expect(await resolved(peer, run)).toMatchObject([{ decision: 'withdrawn' }])
  })

  it('is withdrawn before the terminal event of its run when the process dies', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:permission')
    await pending(peer)
    const { process: claude } = await peer.call<Session>('session.get', { session: run.session })
    process.kill(claude!.pid, 'SIGKILL')
    expect((await ended(peer, run)).state).toBe('failed')
    expect((await logOf(peer, run)).slice(-2)).toMatchObject([
      { type: 'approval_resolved', decision: 'withdrawn' },
      { type: 'failed' },
    ])
    expect(await list(peer)).toEqual([])
  })

  it('is withdrawn when the daemon stops, and is removed with its session', async () => {
    const [daemon, peer] = await open({})
    const run = await start(peer, 'sim:permission')
    const approval = await pending(peer)
    await daemon.stop()
    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await list(later)).toEqual([])
    expect(await later.call('approval.get', { approval: approval.approval })).toMatchObject({ decision: 'withdrawn' })
    await later.call('session.delete', { session: run.session })
    await expect(later.call('approval.get', { approval: approval.approval })).rejects.toMatchObject(
      failure('not_found'),
    )
  })
})

describe('the daemon that follows a killed one', () => {
  it('keeps a pending approval under the same id and accepts its answer', async () => {
    const [daemon, peer] = await open({})
    const run = await start(peer, 'sim:permission tools=2')
    const first = await pending(peer)
    await answer(peer, first, allow)
    const approval = await pending(peer, first)
    const before = await logOf(peer, run)
    await daemon.kill()
    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer('after the kill')
    expect(await list(later)).toEqual([approval])
    expect((await later.call<Session>('session.get', { session: run.session })).state).toBe('waiting')
    await answer(later, approval, allow)
    expect(await ended(later, run)).toMatchObject({ state: 'done' })
    const events = await logOf(later, run)
    expect(events.slice(0, before.length)).toEqual(before)
    expect(events.filter(({ type }) => type === 'approval_requested')).toHaveLength(2)
    expect(events.map(({ type }) => type)).not.toContain('log_damaged')
    expect(next.log()).not.toMatch(/"level":"(warn|error)"/)
  })

  it('resolves an approval as expired if it expired while no daemon ran', async () => {
    const [daemon, peer] = await open({})
    const run = await start(peer, 'sim:permission', { policy: 'ask', expiresAfterMs: 1_500 })
    const approval = await pending(peer)
    expect(approval.expiresAt).toBe(approval.requestedAt + 1_500)
    await daemon.kill()
    await until(() => expect(Date.now()).toBeGreaterThan(approval.expiresAt!))
    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect((await ended(later, run)).result!.response).toContain('Nobody answered in time')
    expect(await resolved(later, run)).toMatchObject([{ approval: approval.approval, decision: 'expired' }])
  })
})

describe('approval options', () => {
  it('deny an approval that is not answered within expiresAfterMs', async () => {
    const [, peer] = await open({})
    const run = await start(peer, 'sim:permission', { expiresAfterMs: 200 })
    expect((await ended(peer, run)).result!.response).toContain('It was not allowed: Nobody answered in time')
    const [event] = await resolved(peer, run)
    expect(event).toMatchObject({ decision: 'expired' })
    expect(await list(peer, { state: 'resolved' })).toMatchObject([
      { decision: 'expired', expiresAt: expect.any(Number) as number },
    ])
  })

  it('deny every approval under policy deny, except those that an ask rule requests', async () => {
    const [, peer] = await open()
    const approvals = { policy: 'deny' as const, rules: ['ask Read', 'allow Bash'] }
    const run = await start(peer, 'sim:permission', approvals)
    expect((await ended(peer, run)).result!.response).toContain('It was not allowed')
    expect(await resolved(peer, run)).toMatchObject([{ decision: 'deny', by: { policy: 'deny' } }])
    const allowed = await again(peer, run, 'sim:permission command=ls')
    expect((await ended(peer, allowed)).result!.response).toContain('It was allowed')
    await peer.call('session.update', { session: run.session, approvals: { policy: 'deny', rules: ['ask Bash'] } })
    const asked = await again(peer, run, 'sim:permission command=ls')
    const approval = await pending(peer)
    expect(approval).toMatchObject({ tool: 'Bash', decisionReasonType: 'rule' })
    await answer(peer, approval, allow)
    await ended(peer, asked)
    expect(await resolved(peer, run)).toMatchObject([{ by: { policy: 'deny' } }, { by: { name: 'asker' } }])
  })

  it('are rejected with the path of an invalid rule', async () => {
    const [, peer] = await open()
    const create = { cwd: tempDir(), approvals: { rules: ['allow Read', 'perhaps Bash'] } }
    await expect(peer.call('session.create', create)).rejects.toMatchObject(
      failure('invalid_params', { path: '/approvals/rules/1' }),
    )
    await expect(peer.call('run.start', { create, prompt: 'sim:text' })).rejects.toMatchObject(
      failure('invalid_params', { path: '/create/approvals/rules/1' }),
    )
  })

  it('deny an approval after unattendedMs without a control client, unless the policy is ask', async () => {
    const [daemon, peer] = await open({ config: { unattendedMs: 300 } })
    const patient = await start(peer, 'sim:permission', { policy: 'ask' })
    const kept = await pending(peer)
    const run = await start(peer, 'sim:permission')
    await until(async () => expect(await list(peer)).toHaveLength(2))
    // An observe token cannot answer.
    const observer = await daemon.peer('observer', daemon.info.observeToken)
    await peer.close()
    await until(async () => expect(await list(observer)).toEqual([kept]))
    expect(await resolved(observer, run)).toMatchObject([{ decision: 'deny', by: { policy: 'nobody connected' } }])
    const back = await daemon.peer('back')
    await answer(back, kept, allow)
    expect(await ended(back, patient)).toMatchObject({ state: 'done' })
  })
})
