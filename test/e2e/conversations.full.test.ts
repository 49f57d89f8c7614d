import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Importable, Run } from '../../protocol/index.ts'
import { readEnd } from '../../daemon/agents/claude/conversations/transcripts.ts'
import { identify } from '../../daemon/os/process-identity.ts'
import {
  close,
  conversation,
  create,
  ended,
  fork,
  get,
  history,
  logOf,
  open,
  refusal,
  say,
  start,
  transcriptOf,
  update,
} from '../support/conversations.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

describe('a conversation that began outside muxd', () => {
  it('is imported with its history, and its earlier cost is not counted', async () => {
    const [, peer, user] = await open()
    const cwd = tempDir()
    const { id, costUsd } = await conversation(user, cwd, 'sim:text in a terminal', 'sim:text and again')
    const session = await create(peer, { cwd, conversationId: id })
    expect(session).toMatchObject({
      conversationId: id,
      firstPrompt: 'sim:text in a terminal',
      costUsd: 0,
      head: 1,
    })
    expect(await history(peer, session)).toBe('Earlier prompts:\n1. sim:text in a terminal\n2. sim:text and again')
    const log = await logOf(peer, session)
    expect(log.slice(0, 2)).toMatchObject([
      { seq: 1, type: 'session_imported', claudeSessionId: id, by: { name: 'controller' } },
      { seq: 2, type: 'run_queued' },
    ])
    const { runCostUsd } = log.find(({ type }) => type === 'cost') as unknown as { runCostUsd: number }
    const { counterUsd } = await readEnd(transcriptOf(user, id))
    expect(runCostUsd).toBeCloseTo(counterUsd! - costUsd, 12)
    expect((await get(peer, session)).costUsd).toBeCloseTo(runCostUsd, 12)
    expect(await get(peer, session)).toMatchObject({ conversationId: id })
  })

  it('can be imported by run.start', async () => {
    const [, peer, user] = await open()
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text in a terminal')
    const run = await peer.call<Run>('run.start', { create: { cwd, conversationId: id }, prompt: 'sim:history' })
    expect((await ended(peer, run)).result!.response).toContain('in a terminal')
    expect((await logOf(peer, run)).slice(0, 2).map(({ type }) => type)).toEqual(['session_imported', 'run_queued'])
  })

  it('is listed by session.importable, last used first', async () => {
    const [, peer, user] = await open()
    const cwd = tempDir()
    const earlier = await conversation(user, cwd, 'sim:text first of the one', 'sim:text second')
    const later = await conversation(user, cwd, 'sim:text first of the other')
    await conversation(user, tempDir(), 'sim:text elsewhere')
    const session = await create(peer, { cwd, conversationId: earlier.id })
    const list = () => peer.call<{ conversations: Importable[] }>('session.importable', { cwd })
    expect((await list()).conversations).toMatchObject([
      { conversationId: later.id, prompt: 'sim:text first of the other' },
      { conversationId: earlier.id, prompt: 'sim:text first of the one', session: session.session },
    ])
    expect(
      (await peer.call<{ conversations: unknown[] }>('session.importable', { cwd, limit: 1 })).conversations,
    ).toHaveLength(1)
  })

  it.each<[string, (cwd: string) => { cwd: string; conversationId: string }, object]>([
    [
      'that does not exist',
      cwd => ({ cwd, conversationId: '11111111-1111-4111-8111-111111111111' }),
      { kind: 'not_found', path: expect.stringMatching(/projects\/\S+\/11111111-\S+\.jsonl$/) as string },
    ],
    [
      'whose id is malformed',
      cwd => ({ cwd, conversationId: '../../etc/passwd' }),
      { kind: 'invalid_params', path: '/conversationId' },
    ],
  ])('%s is rejected', async (_, spec, expected) => {
    const [, peer] = await open()
    expect(await refusal(create(peer, spec(tempDir())))).toMatchObject(expected)
  })

  it('in another directory is rejected, and the message names that directory', async () => {
    const [, peer, user] = await open()
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text there')
    const refused = await refusal(create(peer, { conversationId: id }))
    expect(refused).toMatchObject({ kind: 'not_found', message: expect.stringContaining(`one of ${cwd}`) as string })
  })
})

describe('ownership of a conversation', () => {
  it('is exclusive among the sessions of a daemon', async () => {
    const [, peer, user] = await open()
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text there')
    const { session } = await create(peer, { cwd, conversationId: id })
    const again = { cwd, conversationId: id }
    expect(await refusal(create(peer, again))).toMatchObject({ kind: 'conflict', session })
    expect(await refusal(peer.call('run.start', { create: again, prompt: 'x' }))).toMatchObject({
      kind: 'conflict',
      session,
    })
  })

  it('stays exclusive while the claim file is unreadable, and the conflict names the file', async () => {
    const [, one, user] = await open()
    const [, other] = await open(user)
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text there')
    const mine = await create(one, { cwd, conversationId: id })
    const theirs = await create(other, { cwd, conversationId: id })
    await say(one, mine, 'sim:text mine')
    const claims = join(user, 'state', 'muxd-claims')
    const claim = join(claims, readdirSync(claims).find(name => name.endsWith('.json'))!)
    const whole = readFileSync(claim)
    writeFileSync(claim, '{}')
    const refused = await refusal(start(other, theirs, 'sim:text theirs'))
    expect(refused).toMatchObject({ kind: 'conflict', claim, message: expect.stringContaining('remove that file') })
    writeFileSync(claim, whole)
    await close(one, mine)
    await say(other, theirs, 'sim:text theirs')
    await close(other, theirs)
  })

  it('ends when daemon and pty-host are killed: the next daemon of any home removes the claim', async () => {
    const [first, one, user] = await open()
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text there')
    await say(one, await create(one, { cwd, conversationId: id }), 'sim:text mine')
    const { ptyHost } = await one.call<{ ptyHost: { pid: number } }>('daemon.status')
    await first.kill()
    process.kill(ptyHost.pid, 'SIGKILL')
    await open(user)
    await until(() => expect(readdirSync(join(user, 'state', 'muxd-claims'))).toEqual(['lock']))
    // Start a daemon in the first home, to remove what the killed processes left there.
    await open(user, { home: first.home })
  })

  it('is exclusive among the homes of a user while its process lives', async () => {
    const [first, one, user] = await open()
    const [, other] = await open(user)
    const cwd = tempDir()
    const { id } = await conversation(user, cwd, 'sim:text there')
    const [mine, theirs] = [
      await create(one, { cwd, conversationId: id }),
      await create(other, { cwd, conversationId: id }),
    ]
    await say(one, mine, 'sim:text mine')
    const { process } = await get(one, mine)
    const refused = await refusal(start(other, theirs, 'sim:text theirs'))
    expect(refused).toMatchObject({ kind: 'conflict', home: first.home, pid: process!.pid })
    expect(await refusal(create(other, { cwd, conversationId: id }))).toMatchObject({ kind: 'conflict' })
    await close(one, mine)
    expect(await history(other, theirs)).toContain('sim:text mine')
    await close(other, theirs)
    await until(() => expect(readdirSync(join(user, 'state', 'muxd-claims'))).toEqual(['lock']))
  })

  it('outlives a killed daemon, and follows a /clear', async () => {
    const [first, one, user] = await open()
    const [, other] = await open(user)
    const session = await create(one)
    await say(one, session, 'sim:text before')
    const cleared = (await get(one, session)).conversationId!
    await say(one, session, 'sim:clear')
    await say(one, session, 'sim:text after')
    const { conversationId } = await get(one, session)
    expect(conversationId).not.toBe(cleared)
    await first.kill()
    const take = (id: string) => create(other, { cwd: session.cwd, conversationId: id })
    expect(await refusal(take(conversationId!))).toMatchObject({ kind: 'conflict', home: first.home })
    expect(await take(cleared)).toMatchObject({ conversationId: cleared })
    const [, next] = await open(user, { home: first.home })
    expect(await refusal(take(conversationId!))).toMatchObject({ kind: 'conflict', home: first.home })
    await close(next, session)
    expect(await take(conversationId!)).toMatchObject({ conversationId })
    await until(() => expect(readdirSync(join(user, 'state', 'muxd-claims'))).toEqual(['lock']))
  })

  it('is refused while a live `claude` process outside muxd has the conversation open', async () => {
    const [, peer, user] = await open()
    const session = await create(peer)
    await say(peer, session, 'sim:text one')
    await close(peer, session)
    const { conversationId } = await get(peer, session)
    const { pid, started, domain } = (await identify(process.pid))!
    const entry = join(user, 'claude', 'sessions', `${pid}.json`)
    mkdirSync(dirname(entry))
    const write = (procStart: string) =>
      writeFileSync(entry, JSON.stringify({ pid, sessionId: conversationId, procStart, pidDomain: domain }))
    write(started)
    expect(await refusal(start(peer, session, 'sim:text two'))).toMatchObject({ kind: 'conflict', pid })
    // The entry of an earlier process with the same pid.
    write(`${started}0`)
    expect(await history(peer, session)).toContain('sim:text one')
  })
})

describe('a lost or abandoned conversation', () => {
  it('fails runs with resume_failed until session.update sets conversationId to null', async () => {
    const [, peer, user] = await open()
    const session = await create(peer)
    await say(peer, session, 'sim:text one')
    const { conversationId, costUsd } = await get(peer, session)
    expect(await refusal(update(peer, await busy(peer), { conversationId: null }))).toMatchObject({ kind: 'conflict' })
    await close(peer, session)
    rmSync(transcriptOf(user, conversationId!))
    for (const _ of [1, 2]) {
      expect(await say(peer, session, 'sim:text two')).toMatchObject({
        state: 'failed',
        result: { failure: { code: 'resume_failed', advice: expect.stringContaining('--anew') as string } },
      })
      expect(await get(peer, session)).toMatchObject({ conversationId })
    }
    expect(await update(peer, session, { conversationId: null })).toMatchObject({ conversationId: null })
    expect(await history(peer, session)).toContain('no earlier prompts')
    expect((await get(peer, session)).costUsd).toBeGreaterThan(costUsd)
    expect((await logOf(peer, session)).filter(({ type }) => type === 'session_updated')).toMatchObject([
      { changes: { claudeSessionId: null }, by: { name: 'controller' } },
    ])
  })

  const busy = async (peer: RpcPeer) => {
    const session = await create(peer)
    await start(peer, session, 'sim:slow delayMs=3000')
    return session
  }

  it('can be abandoned with a live process, and in a fork without runs', async () => {
    const [, peer] = await open()
    const source = await create(peer)
    await say(peer, source, 'sim:text one')
    const forked = await fork(peer, source)
    expect(await update(peer, source, { conversationId: null })).toMatchObject({
      process: null,
      conversationId: null,
    })
    expect(await history(peer, source)).toContain('no earlier prompts')
    await update(peer, forked, { conversationId: null })
    expect(await history(peer, forked)).toContain('no earlier prompts')
    expect((await get(peer, forked)).forkedFrom).toEqual({ session: source.session, seq: forked.forkedFrom!.seq })
  })
})
