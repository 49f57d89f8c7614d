import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../protocol/index.ts'
import {
  close,
  create,
  ended,
  fork,
  get,
  history,
  logOf,
  open as openOwn,
  refusal,
  say,
  start,
  transcriptOf,
  update,
} from '../support/conversations.ts'
import { sharedTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const shared = sharedTestDaemon()
/** Returns the shared daemon, or one of its own if there are arguments. */
const open = async (...own: Parameters<typeof openOwn>): ReturnType<typeof openOwn> =>
  own.length > 0 ? openOwn(...own) : [shared(), await shared().peer('controller'), '']

describe('session.update', () => {
  it('replaces title and labels, publishes the change, and logs who made it', async () => {
    const [daemon, peer] = await open()
    const session = await create(peer, { title: 'before', labels: { a: '1', b: '2' } })
    const watcher = await daemon.peer('watcher')
    await watcher.call('topic.subscribe', { topic: 'sessions' })
    const after = await update(peer, session, { title: 'after', labels: { c: '3' } })
    expect(after).toMatchObject({ title: 'after', labels: { c: '3' }, head: 1 })
    expect(await get(peer, session)).toEqual(after)
    expect(await logOf(peer, session)).toMatchObject([
      {
        type: 'session_updated',
        run: null,
        by: { name: 'controller' },
        changes: { title: 'after', labels: { c: '3' } },
      },
    ])
    await until(() =>
      expect(watcher.events('sessions').at(-1)).toMatchObject({ type: 'session_changed', session: { title: 'after' } }),
    )
    expect(await update(peer, session, {})).toMatchObject({ head: 1 })
  })

  it('applies model and permission mode to the live process at once, and to the next process', async () => {
    const [, peer] = await open()
    const session = await create(peer)
    await say(peer, session, 'sim:text one')
    const { process } = await get(peer, session)
    const changed = await update(peer, session, { model: 'large', permissionMode: 'plan' })
    expect(changed).toMatchObject({
      process,
      options: { model: 'large', permissionMode: 'plan' },
      permissionMode: 'plan',
    })
    await say(peer, session, 'sim:text two')
    expect(await get(peer, session)).toMatchObject({ process, model: 'muxd-simulator:large', permissionMode: 'plan' })
    await close(peer, session)
    await say(peer, session, 'sim:text three')
    const inits = (await logOf(peer, session)).filter(({ type }) => type === 'session_init')
    expect(inits.map(({ model, permissionMode }) => [model, permissionMode])).toEqual([
      ['muxd-simulator', 'default'],
      ['muxd-simulator:large', 'plan'],
      ['muxd-simulator:large', 'plan'],
    ])
  })

  it('applies the permission mode while a run is starting', async () => {
    const [, peer] = await open()
    const session = await create(peer)
    const run = await start(peer, session, 'sim:slow delayMs=3000')
    await update(peer, session, { permissionMode: 'acceptEdits' })
    await until(async () => expect(await get(peer, session)).toMatchObject({ permissionMode: 'acceptEdits' }))
    await peer.call('run.cancel', { run: run.run, mode: 'kill' })
    await ended(peer, run)
  })

  it('changes nothing if Claude Code refuses the permission mode, and returns its error message', async () => {
    const [, peer] = await open()
    const session = await create(peer, { options: { permissionMode: 'acceptEdits' } })
    await say(peer, session, 'sim:text one')
    const before = await get(peer, session)
    const refused = await refusal(update(peer, session, { title: 'new', permissionMode: 'manual' }))
    expect(refused).toMatchObject({ kind: 'invalid_params', path: '/permissionMode' })
    expect(refused.message).toMatch(/"manual": Cannot set permission mode: must be one of/)
    const unknown = await refusal(update(peer, session, { permissionMode: 'bogus' }))
    expect(unknown).toMatchObject({ kind: 'invalid_params', path: '/permissionMode' })
    expect(unknown.message).toContain('expected one of default, acceptEdits, plan')
    expect(await get(peer, session)).toEqual(before)
    await say(peer, session, 'sim:text two')
    expect((await logOf(peer, session)).filter(({ type }) => type === 'session_updated')).toEqual([])
  })

  it('to bypassPermissions closes the idle process, since only a new process can have that mode', async () => {
    const [, peer] = await open(undefined, { config: { allowBypassPermissions: true } })
    const session = await create(peer)
    await say(peer, session, 'sim:text one')
    await update(peer, session, { permissionMode: 'bypassPermissions' })
    await until(async () => expect(await get(peer, session)).toMatchObject({ process: null }))
    await say(peer, session, 'sim:text two')
    expect(await get(peer, session)).toMatchObject({ permissionMode: 'bypassPermissions' })
  })

  it('to bypassPermissions is rejected with forbidden unless the configuration allows it', async () => {
    const [, peer] = await open()
    const session = await create(peer)
    expect(await refusal(update(peer, session, { permissionMode: 'bypassPermissions' }))).toMatchObject({
      kind: 'forbidden',
    })
  })

  it('denies an open approval that a new deny rule covers, and keeps expiresAfterMs', async () => {
    const [, peer] = await open()
    const session = await create(peer, { approvals: { policy: 'ask', expiresAfterMs: 3_600_000 } })
    const run = await start(peer, session, 'sim:permission')
    await until(async () => expect(await get(peer, session)).toMatchObject({ state: 'waiting' }))
    expect(await refusal(update(peer, session, { approvals: { rules: ['allow'] } }))).toMatchObject({
      kind: 'invalid_params',
      path: '/approvals/rules/0',
    })
    const allowed = { rules: ['allow Write'] }
    await update(peer, session, { approvals: allowed })
    expect(await get(peer, session)).toMatchObject({ state: 'waiting' })
    const approvals = { rules: ['deny Edit'] }
    expect(await update(peer, session, { approvals })).toMatchObject({
      approvals: { ...approvals, expiresAfterMs: 3_600_000 },
    })
    expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    expect((await logOf(peer, session)).find(({ type }) => type === 'approval_resolved')).toMatchObject({
      decision: 'deny',
      by: { policy: 'deny Edit' },
    })
    expect((await fork(peer, session)).approvals).toEqual({ ...approvals, expiresAfterMs: 3_600_000 })
  })

  it('keeps the change for the next process if the current one dies before it confirms', async () => {
    const [, peer] = await open()
    const session = await create(peer)
    await start(peer, session, 'sim:hang ignore=int,term')
    await until(async () => expect((await get(peer, session)).process).not.toBeNull())
    const kill = await stopped(peer, session)
    const updating = update(peer, session, { permissionMode: 'plan' })
    kill()
    expect(await updating).toMatchObject({ options: { permissionMode: 'plan' } })
    await say(peer, session, 'sim:text two')
    expect(await get(peer, session)).toMatchObject({ permissionMode: 'plan' })
  })

  it('completes before a session.delete that follows it, and calls after the delete get not_found', async () => {
    const [daemon, peer] = await open(tempDir())
    const session = await create(peer)
    await peer.call('topic.subscribe', { topic: 'sessions' })
    await say(peer, session, 'sim:text one')
    const kill = await stopped(peer, session)
    const updating = update(peer, session, { permissionMode: 'plan' })
    const closing = refusal(close(peer, session))
    const deleting = peer.call('session.delete', { session: session.session })
    expect(await refusal(update(peer, session, { title: 'late' }))).toMatchObject({ kind: 'not_found' })
    kill()
    expect(await updating).toMatchObject({ options: { permissionMode: 'plan' } })
    expect(await closing).toMatchObject({ kind: 'not_found' })
    expect(await deleting).toEqual({})
    expect(await peer.call('session.list')).toEqual({ sessions: [] })
    await until(() => expect(peer.events('sessions').at(-1)).toMatchObject({ type: 'session_deleted' }))
    expect(daemon.log()).not.toContain('"level":"error"')
  })

  it('survives a kill of the daemon, and the log stays the same', async () => {
    const [daemon, peer, user] = await open(tempDir())
    const session = await create(peer)
    await say(peer, session, 'sim:text one')
    await update(peer, session, { model: 'large', title: 'kept' })
    await say(peer, session, 'sim:text two')
    const log = await logOf(peer, session)
    await daemon.kill()
    const [, next] = await open(user, { home: daemon.home })
    expect(await get(next, session)).toMatchObject({ title: 'kept', model: 'muxd-simulator:large' })
    expect(await logOf(next, session)).toEqual(log)
    await update(next, session, { permissionMode: 'plan' })
    await until(async () => expect(await get(next, session)).toMatchObject({ permissionMode: 'plan' }))
  })
})

/** Sends SIGSTOP to a session's process, which then reads no input. Returns a function that kills the process. */
const stopped = async (peer: RpcPeer, session: Session) => {
  const { pid } = (await get(peer, session)).process!
  process.kill(pid, 'SIGSTOP')
  return () => process.kill(pid, 'SIGKILL')
}

describe('session.fork', () => {
  it('copies the conversation so far, and later prompts in source or fork do not appear in the other', async () => {
    const [, peer] = await open()
    const source = await create(peer, { title: 'source', labels: { a: '1' }, options: { model: 'large' } })
    await say(peer, source, 'sim:text one')
    const { head, costUsd } = await get(peer, source)
    const forked = await fork(peer, source, { title: 'fork' })
    expect(forked).toMatchObject({
      title: 'fork',
      firstPrompt: 'sim:text one',
      labels: { a: '1' },
      cwd: source.cwd,
      options: { model: 'large' },
      conversationId: null,
      costUsd: 0,
      forkedFrom: { session: source.session, seq: head },
    })
    await say(peer, source, 'sim:text only in the source')
    expect(await history(peer, forked)).toBe('Earlier prompts:\n1. sim:text one')
    expect(await history(peer, source)).toBe('Earlier prompts:\n1. sim:text one\n2. sim:text only in the source')
    await close(peer, forked)
    expect(await history(peer, forked)).toBe('Earlier prompts:\n1. sim:text one\n2. sim:history')
    const log = await logOf(peer, forked)
    expect(log[0]).toMatchObject({
      type: 'session_forked',
      from: { session: source.session, seq: head },
      by: { name: 'controller' },
    })
    // Costs before the fork belong to the source.
    const costs = log.filter(({ type }) => type === 'cost')
    const sum = costs.reduce((total, cost) => total + (cost['runCostUsd'] as number), 0)
    expect((await get(peer, forked)).costUsd).toBeCloseTo(sum, 12)
    expect(costs[0]!['runCostUsd']).toBe(costs[0]!['costUsd'])
    expect((await get(peer, source)).costUsd).toBeGreaterThan(costUsd)
    expect(log.map(({ type }) => type)).not.toContain('claude_session_changed')
  })

  it('forks the source again if the first process of the fork is killed before its transcript exists', async () => {
    const [, peer] = await open()
    const source = await create(peer)
    await say(peer, source, 'sim:text one')
    const forked = await fork(peer, source)
    const run = await start(peer, forked, 'sim:hang at=text')
    await until(async () => expect((await get(peer, forked)).conversationId).not.toBeNull())
    await peer.call('run.cancel', { run: run.run, mode: 'kill' })
    await ended(peer, run)
    expect(await history(peer, forked)).toContain('1. sim:text one')
    await say(peer, source, 'sim:text two')
  })

  it('of a fork without runs copies the same conversation, also after its source is deleted', async () => {
    const [, peer] = await open()
    const source = await create(peer)
    await say(peer, source, 'sim:text one')
    const second = await fork(peer, await fork(peer, source))
    await peer.call('session.delete', { session: source.session })
    expect(await history(peer, second)).toBe('Earlier prompts:\n1. sim:text one')
  })

  it('is rejected during a run, before the first prompt, and without a transcript', async () => {
    const [, peer, user] = await open(tempDir())
    const source = await create(peer)
    expect(await refusal(fork(peer, source))).toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('nothing has been said in it yet') as string,
    })
    const run = await start(peer, source, 'sim:slow delayMs=3000')
    await until(async () => expect((await get(peer, source)).conversationId).not.toBeNull())
    expect(await refusal(fork(peer, source))).toMatchObject({ kind: 'conflict', run: run.run })
    await peer.call('run.cancel', { run: run.run })
    await ended(peer, run)
    const { conversationId } = await get(peer, source)
    const path = transcriptOf(user, conversationId!)
    rmSync(path)
    expect(await refusal(fork(peer, source))).toMatchObject({ kind: 'not_found', path })
  })

  it('creates one session for two calls with the same key', async () => {
    const [, peer] = await open(tempDir())
    const source = await create(peer)
    await say(peer, source, 'sim:text one')
    const forked = await fork(peer, source, { key: 'once' })
    expect(await fork(peer, source, { key: 'once' })).toEqual(forked)
    expect((await peer.call<{ sessions: unknown[] }>('session.list')).sessions).toHaveLength(2)
  })
})
