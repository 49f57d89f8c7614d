import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Approval, Run, RunLimits, Session } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/steps-of-prompt.mjs', import.meta.url))
const withStandIn = { argv: ['--claude-bin', standIn] }

const start = (peer: RpcPeer, prompt: string | object[], limits: RunLimits = {}, session?: string | object) =>
  peer.call<Run>('run.start', {
    ...(typeof session === 'string' ? { session } : { create: { cwd: tempDir(), ...session } }),
    prompt: typeof prompt === 'string' ? prompt : JSON.stringify(prompt),
    limits,
  })
const get = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.get', { run })
const ended = (peer: RpcPeer, { run }: Run) => peer.call<Run>('run.wait', { run, timeoutMs: 30_000 })
const sessionOf = (peer: RpcPeer, { session }: Run) => peer.call<Session>('session.get', { session })
const readAll = async (peer: RpcPeer, { session }: Run, running: string[] = []) => {
  const log = await readLog<WireEvent>(params => peer.call('topic.read', params), session)
  expectWholeLog(log, { running })
  return log
}
/** Resolves when the run has been active for at least `ageMs`. */
const untilOld = (run: Run, ageMs: number) => until(() => expect(Date.now() - run.startedAt!).toBeGreaterThan(ageMs))
/** Resolves with the run when Claude Code has printed some of its output. */
const untilHeard = (peer: RpcPeer, run: Run) =>
  until(async () => {
    const heard = await get(peer, run)
    expect(heard.activity?.what).toMatch(/assistant_text|session_init/)
    return heard
  })
const untilWaiting = (peer: RpcPeer, run: Run) =>
  until(async () => {
    const { approvals } = await peer.call<{ approvals: Approval[] }>('approval.list', { session: run.session })
    return approvals.find(({ state }) => state === 'pending')!.approval
  })

/** More bytes than one read returns. */
const muchOutput = 2_000_000

const question = (id: string) => ({
  type: 'control_request',
  request_id: id,
  request: { subtype: 'can_use_tool', tool_name: 'Write', input: { file_path: '/tmp/x' }, tool_use_id: `tool-${id}` },
})

describe('a daemon that takes a session over', () => {
  it('does not count a run as inactive whose process printed while no daemon ran', async () => {
    const daemon = await startTestDaemon({ env: { MUXD_SIMULATOR_SPEED: '1' } })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:flood frames=1000000 rate=10 size=100', { inactivityMs: 2_000 })
    const heard = await untilHeard(peer, run)
    await daemon.kill()
    await untilOld(heard, 3_000)
    const again = await (await startTestDaemon({ home: daemon.home })).peer()
    expect(await get(again, run)).toMatchObject({ state: 'running' })
    await again.call('run.cancel', { run: run.run })
    expect(await ended(again, run)).toMatchObject({ state: 'cancelled' })
    expect((await readAll(again, run)).map(({ type }) => type)).not.toContain('limit_reached')
  })

  it('interrupts a run whose timeout passed while no daemon ran', async () => {
    const config = { cancelGraceMs: 60_000 }
    const daemon = await startTestDaemon({ config })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:hang at=text', { timeoutMs: 2_000 })
    const heard = await untilHeard(peer, run)
    const { process } = await sessionOf(peer, run)
    await daemon.kill()
    await untilOld(heard, 2_000)
    const again = await (await startTestDaemon({ home: daemon.home, config })).peer()
    expect(await ended(again, run)).toMatchObject({ state: 'failed', result: { failure: { code: 'timed_out' } } })
    const next = await start(again, 'sim:text', {}, run.session)
    expect(await ended(again, next)).toMatchObject({ state: 'done' })
    expect((await sessionOf(again, run)).process).toEqual(process)
    await readAll(again, run)
  })

  it('counts the inactivity of a run from the answer to its approval', async () => {
    const daemon = await startTestDaemon(withStandIn)
    const peer = await daemon.peer()
    const never = join(tempDir(), 'never')
    const run = await start(peer, [question('q1'), { answer: 'q1' }, { until: never }], { inactivityMs: 8_000 })
    const approval = await untilWaiting(peer, run)
    await untilOld(await get(peer, run), 8_000)
    await peer.call('approval.answer', { approval, decision: 'allow' })
    const { resolvedAt } = await peer.call<Approval>('approval.get', { approval })
    await daemon.kill()
    const again = await (await startTestDaemon({ home: daemon.home, ...withStandIn })).peer()
    const failed = await ended(again, run)
    expect(failed).toMatchObject({ state: 'failed', result: { failure: { code: 'inactive' } } })
    expect(failed.endedAt! - resolvedAt!).toBeGreaterThanOrEqual(8_000)
  })

  it('does not expire an approval that Claude Code withdrew before its deadline', async () => {
    const daemon = await startTestDaemon(withStandIn)
    const peer = await daemon.peer()
    const [back, printed, end] = [join(tempDir(), 'back'), join(tempDir(), 'printed'), join(tempDir(), 'end')]
    const steps = [
      question('q1'),
      { until: back },
      { print: muchOutput },
      { type: 'control_cancel_request', request_id: 'q1' },
      { touch: printed },
      { until: end },
    ]
    const run = await start(peer, steps, {}, { approvals: { expiresAfterMs: 3_000 } })
    const approval = await untilWaiting(peer, run)
    const { expiresAt } = await peer.call<Approval>('approval.get', { approval })
    await daemon.kill()
    writeFileSync(back, '')
    await until(() => expect(existsSync(printed)).toBe(true))
    await until(() => expect(Date.now()).toBeGreaterThan(expiresAt!))
    const again = await (await startTestDaemon({ home: daemon.home, ...withStandIn })).peer()
    writeFileSync(end, '')
    expect(await ended(again, run)).toMatchObject({ state: 'done' })
    expect(await again.call('approval.get', { approval })).toMatchObject({ decision: 'withdrawn' })
  })

  it('sends no queued prompt into a turn that Claude Code began by itself', async () => {
    const daemon = await startTestDaemon(withStandIn)
    const peer = await daemon.peer()
    const [go, begun, end] = [join(tempDir(), 'go'), join(tempDir(), 'begun'), join(tempDir(), 'end')]
    const ownTurn = [{ type: 'system', subtype: 'init', model: 'stand-in' }, { touch: begun }, { until: end }]
    const steps = [{ until: go }, { result: true }, { print: muchOutput }, ...ownTurn]
    const first = await start(peer, [...steps, { type: 'result', subtype: 'success', result: '', modelUsage: {} }])
    await untilHeard(peer, first)
    const next = await start(peer, [], {}, first.session)
    await daemon.kill()
    writeFileSync(go, '')
    await until(() => expect(existsSync(begun)).toBe(true))
    const again = await (await startTestDaemon({ home: daemon.home, ...withStandIn })).peer()
    await until(async () => {
      const { runs } = await again.call<{ runs: Run[] }>('run.list', { session: first.session })
      expect(runs.map(({ state }) => state).toSorted()).toEqual(['done', 'queued', 'running'])
    })
    writeFileSync(end, '')
    expect(await ended(again, next)).toMatchObject({ state: 'done' })
    await readAll(again, first)
  })
})

describe('a daemon with another configuration', () => {
  it.each([
    [0, 300_000],
    [300_000, 0],
  ])('derives the same events for a process started with idleCloseMs %i when it is now %i', async (before, after) => {
    const daemon = await startTestDaemon({ ...withStandIn, config: { idleCloseMs: before, resultGraceMs: 60_000 } })
    const peer = await daemon.peer()
    const end = join(tempDir(), 'end')
    const run = await start(peer, [{ result: true }, { type: 'system', subtype: 'note' }, { until: end }])
    await until(async () => expect((await readAll(peer, run, [run.run])).map(({ type }) => type)).toContain('notice'))
    await daemon.kill()
    const config = { idleCloseMs: after, resultGraceMs: 60_000 }
    const again = await (await startTestDaemon({ home: daemon.home, ...withStandIn, config })).peer()
    expect(await get(again, run)).toMatchObject({ state: before === 0 ? 'running' : 'done' })
    writeFileSync(end, '')
    expect(await ended(again, run)).toMatchObject({ state: 'done' })
    expect((await readAll(again, run)).map(({ type }) => type)).not.toContain('log_damaged')
  })
})
