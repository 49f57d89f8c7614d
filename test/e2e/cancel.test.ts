import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import {
  processesOf,
  sharedTestDaemon,
  startTestDaemon,
  type TestDaemon,
  type TestDaemonOptions,
} from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

const standIn = fileURLToPath(new URL('../fixtures/stand-ins/steps-of-prompt.mjs', import.meta.url))
const quick = { config: { cancelGraceMs: 150, resultGraceMs: 150 } }

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const eventsOf = async (peer: RpcPeer, run: Run, running: string[] = []) => {
  const events = await readLog(params => peer.call('topic.read', params), run.session)
  expectWholeLog(events, { running })
  return events.filter(event => event.run === run.run)
}
/** Resolves when the run's log has an event of the type. */
const untilEvent = async (peer: RpcPeer, run: Run, type: string) => {
  const topic = `session/${run.session}`
  await peer.call('topic.subscribe', { topic, since: 'start' })
  await until(() => expect(peer.events(topic).map(event => event.type)).toContain(type))
}
const cancel = (peer: RpcPeer, run: Run, mode?: string) =>
  peer.call<Run>('run.cancel', { run: run.run, ...(mode && { mode }) })
const ended = (peer: RpcPeer, run: Run) => peer.call<Run>('run.wait', { run: run.run })

const shared = sharedTestDaemon()
/** Returns the shared daemon, or one of its own if there are options. */
const open = async (options?: TestDaemonOptions): Promise<[TestDaemon, RpcPeer]> => {
  const daemon = options === undefined ? shared() : await startTestDaemon(options)
  return [daemon, await daemon.peer('canceller')]
}

describe('run.cancel', () => {
  it('ends the turn and keeps the process, which serves the next prompt', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:hang at=text')
    await untilEvent(peer, run, 'assistant_text')
    const { process } = await peer.call<Session>('session.get', { session: run.session })
    expect(await cancel(peer, run)).toMatchObject({ state: 'cancelling' })
    expect(await ended(peer, run)).toMatchObject({ state: 'cancelled' })
    const next = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
    expect((await peer.call<Session>('session.get', { session: run.session })).process).toEqual(process)
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({
      type: 'cancelled',
      by: { name: 'canceller' },
      mode: 'interrupt',
      ended: 'turn',
      response: expect.stringContaining('simulated answer'),
    })
  })

  it('before the prompt is sent ends the run without sending it', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:crash')
    expect(await cancel(peer, run)).toMatchObject({ state: 'cancelled' })
    const events = await eventsOf(peer, run)
    expect(events.map(({ type }) => type)).toEqual(['run_queued', 'run_started', 'cancel_requested', 'cancelled'])
    expect(events.at(-1)).toMatchObject({ mode: 'interrupt', ended: 'nothing' })
    const next = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
  })

  it('before the process is started ends the run without starting it', async () => {
    const directory = tempDir()
    const [hold, asked, started] = ['hold', 'asked', 'started'].map(name => join(directory, name)) as [
      string,
      ...string[],
    ]
    const claude = join(directory, 'claude')
    const program = `#!/bin/sh
      case "$*" in *--version*) touch ${asked}; while [ -e ${hold} ]; do sleep 0.05; done ;; *) echo >>${started} ;; esac
      exec ${standIn} "$@"`
    writeFileSync(claude, program, { mode: 0o755 })
    const [, peer] = await open({ argv: ['--claude-bin', claude] })
    const first = await start(peer, JSON.stringify([{ until: join(directory, 'never') }]))
    await untilEvent(peer, first, 'session_init')
    const run = await peer.call<Run>('run.start', { session: first.session, prompt: '[]' })
    writeFileSync(hold, '')
    rmSync(asked!)
    // The daemon asks a changed file for its version again, even under the same name.
    writeFileSync(claude, `${program}\n`)
    await cancel(peer, first, 'kill')
    await until(() => expect(existsSync(asked!)).toBe(true))
    expect(await cancel(peer, run)).toMatchObject({ state: 'cancelled' })
    const starting = start(peer, '[]')
    rmSync(hold)
    expect(await ended(peer, await starting)).toMatchObject({ state: 'done' })
    expect(readFileSync(started!, 'utf8')).toBe('\n\n')
    const next = await peer.call<Run>('run.start', { session: run.session, prompt: '[]' })
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
  })

  it('ends a queued run at once', async () => {
    const [, peer] = await open()
    const first = await start(peer, 'sim:hang')
    const queued = await peer.call<Run>('run.start', { session: first.session, prompt: 'sim:text' })
    expect(await cancel(peer, queued)).toMatchObject({ state: 'cancelled', startedAt: null })
    const events = await eventsOf(peer, queued, [first.run])
    expect(events.map(({ type }) => type)).toEqual(['run_queued', 'cancel_requested', 'cancelled'])
    expect(events.at(-1)).toMatchObject({ ended: 'nothing' })
    await cancel(peer, first, 'kill')
    await ended(peer, first)
  })

  it('escalates to SIGINT, SIGTERM and SIGKILL if the turn does not end', async () => {
    const [daemon, peer] = await open(quick)
    const run = await start(peer, 'sim:hang ignore=interrupt,int,term')
    await untilEvent(peer, run, 'assistant_text')
    const before = processesOf(daemon.home).length
    await cancel(peer, run)
    expect(await ended(peer, run)).toMatchObject({ state: 'cancelled' })
    const events = await eventsOf(peer, run)
    expect(events.filter(({ type }) => type === 'cancel_escalated').map(({ step }) => step)).toEqual([
      'sigint',
      'terminate',
      'kill',
    ])
    expect(events.at(-1)).toMatchObject({ type: 'cancelled', mode: 'interrupt', ended: 'process' })
    await until(() => expect(processesOf(daemon.home).length).toBeLessThan(before))
    await until(async () =>
      expect(await peer.call<Session>('session.get', { session: run.session })).toMatchObject({ process: null }),
    )
    const next = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
  })

  it.each(['terminate', 'kill'])('with mode %s ends the process and everything that it started', async mode => {
    const [daemon, peer] = await open({})
    const run = await start(peer, 'sim:hang at=text')
    await untilEvent(peer, run, 'assistant_text')
    await cancel(peer, run, mode)
    expect(await ended(peer, run)).toMatchObject({ state: 'cancelled' })
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({ type: 'cancelled', mode, ended: 'process' })
    await until(() => expect(processesOf(daemon.home)).toEqual([daemon.pid]))
  })

  it('records repeated requests once, and escalates on a stronger mode', async () => {
    const [, peer] = await open({ config: { cancelGraceMs: 60_000 } })
    const run = await start(peer, 'sim:hang ignore=interrupt')
    await untilEvent(peer, run, 'assistant_text')
    await Promise.all([cancel(peer, run), cancel(peer, run)])
    await cancel(peer, run, 'kill')
    expect(await ended(peer, run)).toMatchObject({ state: 'cancelled' })
    const requests = (await eventsOf(peer, run)).filter(({ type }) => type === 'cancel_requested')
    expect(requests).toEqual([
      expect.objectContaining({ mode: 'interrupt' }),
      expect.objectContaining({ mode: 'kill' }),
    ])
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({ type: 'cancelled', mode: 'kill', ended: 'process' })
  })

  it('ends the process if the turn ends only after SIGINT', async () => {
    const [, peer] = await open(quick)
    const run = await start(peer, 'sim:hang at=text ignore=interrupt')
    await untilEvent(peer, run, 'assistant_text')
    await cancel(peer, run)
    expect(await ended(peer, run)).toMatchObject({ state: 'cancelled' })
    expect((await eventsOf(peer, run)).filter(({ type }) => /^cancel(led|_escalated)$/.test(type))).toMatchObject([
      { type: 'cancel_escalated', step: 'sigint' },
      { type: 'cancelled', mode: 'interrupt', ended: 'process' },
    ])
    await until(async () =>
      expect(await peer.call<Session>('session.get', { session: run.session })).toMatchObject({ process: null }),
    )
  })

  it('records the first of two simultaneous requests, and the next daemon cancels in its name', async () => {
    const [daemon, peer] = await open({ config: { cancelGraceMs: 60_000 } })
    const run = await start(peer, 'sim:hang at=text ignore=interrupt')
    await untilEvent(peer, run, 'assistant_text')
    const other = await daemon.peer('other')
    await Promise.all([cancel(peer, run), cancel(other, run, 'interrupt')])
    await daemon.kill()
    const successor = await startTestDaemon({ home: daemon.home, config: { cancelGraceMs: 150 } })
    const next = await successor.peer('next')
    expect(await ended(next, run)).toMatchObject({ state: 'cancelled' })
    const events = await eventsOf(next, run)
    const [first, ...more] = events.filter(({ type }) => type === 'cancel_requested')
    expect(more).toEqual([])
    expect(events.at(-1)).toMatchObject({ type: 'cancelled', by: first!['by'], mode: 'interrupt', ended: 'process' })
    expect(events.filter(({ type }) => type === 'log_damaged')).toEqual([])
  })

  it('changes nothing after the end of the run', async () => {
    const [, peer] = await open()
    const run = await start(peer, 'sim:text')
    const done = await ended(peer, run)
    expect(await cancel(peer, run, 'kill')).toEqual(done)
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({ type: 'done' })
  })

  it('rejects an unknown run with not_found and names its id', async () => {
    const [, peer] = await open()
    await expect(peer.call('run.cancel', { run: 'r_none' })).rejects.toMatchObject({
      message: 'there is no run r_none',
      error: { data: { kind: 'not_found' } },
    })
  })
})

describe('session.close during a run', () => {
  it('is rejected with conflict; with force it cancels all runs in the name of the client', async () => {
    const [daemon, peer] = await open(quick)
    const run = await start(peer, 'sim:hang at=text')
    const queued = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    const other = await daemon.peer('closer')
    await expect(other.call('session.close', { session: run.session })).rejects.toMatchObject({
      error: { data: { kind: 'conflict' } },
    })
    await other.call('session.close', { session: run.session, force: true })
    for (const each of [run, queued]) {
      const end = { type: 'cancelled', by: { name: 'closer' }, reason: 'the session was ended' }
      expect((await eventsOf(peer, each)).at(-1)).toMatchObject(end)
    }
  })
})

describe('a process that does not exit after its result', () => {
  it('affects neither the result of its run nor later runs', async () => {
    const [, peer] = await open(quick)
    const run = await start(peer, 'sim:hang at=result')
    expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    const next = await start(peer, 'sim:text')
    expect(await ended(peer, next)).toMatchObject({ state: 'done' })
    const { session } = run
    await peer.call('session.close', { session })
    expect(await peer.call('session.get', { session })).toMatchObject({ process: null })
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({ type: 'done' })
    const later = await peer.call<Run>('run.start', { session, prompt: 'sim:text' })
    expect(await ended(peer, later)).toMatchObject({ state: 'done' })
  })

  it('is ended by force if idleCloseMs is 0', async () => {
    const [, peer] = await open({ argv: ['--simulate', '--idle-close-ms', '0'], config: { resultGraceMs: 150 } })
    const run = await start(peer, 'sim:hang at=result')
    expect(await ended(peer, run)).toMatchObject({ state: 'done' })
    expect((await eventsOf(peer, run)).at(-1)).toMatchObject({ type: 'done', forcedExit: true })
  })
})
