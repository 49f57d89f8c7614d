import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { muxd } from '../cli/muxd.ts'
import { goingOn, printing } from '../support/printing.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

interface Doctor {
  checks: { name: string; ok: boolean; detail: string }[]
}

const init = { type: 'system', subtype: 'init', tools: [] }
const text = { type: 'assistant', message: { id: 'msg_1', content: [{ type: 'text', text: 'hello' }] } }
const progress = { type: 'tool_progress', tool_use_id: 'toolu_1', elapsed_time_seconds: 1 }
const result = { type: 'result', subtype: 'success', is_error: false, result: 'hello', total_cost_usd: 0.01 }
const deep = `{"type":"user","tool_use_result":${'['.repeat(4_200)}${']'.repeat(4_200)}}`

const start = (peer: RpcPeer, prompt: string, session?: string) =>
  peer.call<Run>('run.start', { ...(session ? { session } : { create: { cwd: tempDir() } }), prompt })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run })
const play = async (peer: RpcPeer, prompt: string, session?: string) => ended(peer, await start(peer, prompt, session))
const get = (peer: RpcPeer, session: string) => peer.call<Session>('session.get', { session })
const log = async (peer: RpcPeer, session: string) => {
  const events = await readLog<WireEvent>(params => peer.call('topic.read', params), session)
  return events
}
const has = (type: string) => expect.arrayContaining([expect.objectContaining({ type })]) as unknown

async function restarted(daemon: TestDaemon, env: Record<string, string> = {}) {
  await daemon.kill()
  const next = await startTestDaemon({ home: daemon.home, env })
  return { daemon: next, peer: await next.peer() }
}

describe('a frame nested 4,200 deep', () => {
  it('becomes an unparsed event, also under a daemon that takes the process over', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    expect((await play(peer, printing([init, deep, text, result]))).state).toBe('done')
    const run = await start(peer, goingOn([init, deep, text]))
    await until(async () => expect(await log(peer, run.session)).toEqual(has('assistant_text')), { timeout: 20_000 })
    const before = await log(peer, run.session)
    expect(before).toContainEqual(expect.objectContaining({ type: 'unparsed', reason: 'too_deep', run: run.run }))
    const next = await restarted(daemon)
    const after = await log(next.peer, run.session)
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after).not.toEqual(has('log_damaged'))
    await next.peer.call('run.cancel', { run: run.run, mode: 'kill' })
    expect((await ended(next.peer, run)).state).toBe('cancelled')
  })
})

describe('a reported cost of 1e308', () => {
  it('counts as 0 and does not fail the run', async () => {
    const peer = await (await startTestDaemon()).peer()
    const lines = [init, text, JSON.stringify(result).replace('0.01', '1e308')]
    const run = await play(peer, printing(lines))
    expect(run).toMatchObject({ state: 'done', result: { costUsd: 0 } })
    expect(await get(peer, run.session)).toMatchObject({ costUsd: 0 })
  })
})

describe('an exception in the translation of a frame', () => {
  it('becomes an unparsed event, also when the frame is read again', async () => {
    const env = { MUXD_THROW_AT: 'translated:tool_progress' }
    const daemon = await startTestDaemon({ env })
    const peer = await daemon.peer()
    const run = await start(peer, goingOn([init, progress, text]))
    await until(async () => expect(await log(peer, run.session)).toEqual(has('assistant_text')), { timeout: 20_000 })
    const before = await log(peer, run.session)
    expect(before).toContainEqual(expect.objectContaining({ type: 'unparsed', reason: 'not_decodable' }))
    const next = await restarted(daemon, env)
    expect((await log(next.peer, run.session)).slice(0, before.length)).toEqual(before)
    expect(await log(next.peer, run.session)).not.toEqual(has('log_damaged'))
    expect(await get(next.peer, run.session)).not.toHaveProperty('fault')
    await next.peer.call('run.cancel', { run: run.run, mode: 'kill' })
    await ended(next.peer, run)
  })
})

describe('an exception in a session that handles a frame', () => {
  const env = { MUXD_THROW_AT: 'handled:tool_progress' }
  // Without an `init`: the process names prompts, so an `init` without the prompt's uuid would begin a turn of its own.
  const faulty = () => goingOn([text, progress])

  it('ends the run and its process, and the session stays usable', async () => {
    const daemon = await startTestDaemon({ env })
    const peer = await daemon.peer()
    const other = await start(peer, 'sim:long words=2000')
    const { session } = await play(peer, 'sim:echo hello')
    const run = await play(peer, faulty(), session)
    expect(run).toMatchObject({ state: 'failed', result: { failure: { code: 'internal' }, response: 'hello' } })
    const events = await log(peer, run.session)
    expectWholeLog(events)
    expect(events.map(({ type }) => type).slice(-3)).toEqual(['assistant_text', 'log_damaged', 'failed'])
    expect(await get(peer, run.session)).toMatchObject({ process: null, state: 'idle', fault: { at: run.endedAt } })
    expect((await ended(peer, other)).state).toBe('done')
    expect((await play(peer, 'sim:echo again', run.session)).state).toBe('done')
    expect(await get(peer, run.session)).not.toHaveProperty('fault')
    // The next daemon does not hit the same fault again.
    const next = await restarted(daemon, env)
    expect((await play(next.peer, 'sim:echo again', run.session)).state).toBe('done')
    expect((await log(next.peer, run.session)).filter(({ type }) => type === 'log_damaged')).toHaveLength(1)
  })

  it('twice without a finished run in between makes the session unusable', async () => {
    const daemon = await startTestDaemon({ env })
    const peer = await daemon.peer()
    const { session } = await play(peer, 'sim:echo hello')
    await play(peer, faulty(), session)
    expect((await play(peer, 'sim:echo hello', session)).state).toBe('done')
    await play(peer, faulty(), session)
    expect(await get(peer, session)).not.toHaveProperty('unusable')
    const last = await start(peer, faulty(), session)
    const queued = await start(peer, 'sim:echo too late', session)
    for (const run of [last, queued])
      expect(await ended(peer, run)).toMatchObject({ state: 'failed', result: { failure: { code: 'internal' } } })

    const next = await restarted(daemon)
    const { peer: again } = next
    const other = await play(again, 'sim:echo hello')
    expect(other.state).toBe('done')
    const record = await get(again, session)
    expect(record).toMatchObject({
      unusable: { reason: expect.stringContaining('thrown at') as unknown },
      process: null,
    })
    const refused = { kind: 'unusable', session, reason: record.unusable!.reason, at: record.unusable!.at }
    for (const [method, params] of [
      ['run.start', { session, prompt: 'hello' }],
      ['run.cancel', { run: last.run }],
      ['run.move', { run: queued.run, to: 0 }],
      ['session.update', { session, title: 'another' }],
      ['session.fork', { session }],
    ] as const)
      await expect(again.call(method, params), method).rejects.toMatchObject({ error: { data: refused } })
    expectWholeLog(await log(again, session))
    expect((await log(again, session)).filter(({ type }) => type === 'log_damaged')).toHaveLength(3)
    expect(await again.call('session.list', {})).toMatchObject({ sessions: [{ session: other.session }, { session }] })
    const listed = await muxd(['ls', '--home', daemon.home]).ended
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toMatch(new RegExp(`${session} .*unusable`))
    const checks = JSON.parse((await muxd(['doctor', '--json', '--home', daemon.home]).ended).stdout) as Doctor
    expect(checks.checks.find(({ name }) => name === 'sessions')).toMatchObject({
      ok: false,
      detail: expect.stringContaining(`1 of 2 unusable after an error inside muxd: ${session}`) as unknown,
    })
    expect(await again.call('session.close', { session })).toMatchObject({ state: 'closed' })
    await again.call('session.delete', { session })
    await expect(get(again, session)).rejects.toMatchObject({ error: { data: { kind: 'not_found' } } })
    expect(await next.daemon.stop()).toBe(0)
  })
})

describe('an exception while a session is restored', () => {
  it('makes only that session unusable, and ends its process', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, goingOn([init, text]))
    const other = await start(peer, 'sim:hang at=text')
    const queued = await start(peer, 'sim:echo hello', run.session)
    for (const each of [run, other])
      await until(async () => expect(await log(peer, each.session)).toEqual(has('assistant_text')), { timeout: 20_000 })

    const next = await restarted(daemon, { MUXD_THROW_AT: `restored:${run.session}` })
    for (const each of [run, queued])
      expect(await ended(next.peer, each)).toMatchObject({ state: 'failed', result: { failure: { code: 'internal' } } })
    expect(await get(next.peer, run.session)).toMatchObject({ process: null, unusable: {} })
    expect(await log(next.peer, run.session)).toEqual(has('log_damaged'))
    expectWholeLog(await log(next.peer, run.session))
    expect(await get(next.peer, other.session)).toMatchObject({ state: 'running', process: {} })
    await next.peer.call('run.cancel', { run: other.run, mode: 'kill' })
    expect((await ended(next.peer, other)).state).toBe('cancelled')
    const last = await restarted(next.daemon)
    expect(await get(last.peer, run.session)).toMatchObject({ unusable: {} })
  })
})
