import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { ptyHostsOf, processesOf, startTestDaemon } from '../support/daemon.ts'
import { ptyMasters } from '../support/processes.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

const start = (peer: RpcPeer, prompt: string, more: object = {}) =>
  peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt, ...more })
const topicOf = (run: Run) => `session/${run.session}`
const types = (events: WireEvent[]) => events.map(({ type }) => type)

describe('the daemon', () => {
  it('runs a prompt to its answer, with every event in order and none missing', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:tools')
    await peer.call('topic.subscribe', { topic: topicOf(run), since: 'start' })
    const ended = await peer.call<Run>('run.wait', { run: run.run })
    expect(ended).toMatchObject({ state: 'done', result: { costUsd: expect.any(Number) } })
    await until(() => expect(peer.events(topicOf(run)).at(-1)?.type).toBe('done'))
    const events = peer.events(topicOf(run))
    expectWholeLog(events)
    expect(types(events).slice(0, 2)).toEqual(['run_queued', 'run_started'])
    expect(types(events)).toEqual(
      expect.arrayContaining(['session_init', 'tool_use', 'tool_result', 'assistant_text', 'cost']),
    )
    expect(events.find(({ type }) => type === 'done')).toMatchObject({ response: ended.result?.response })
  })

  it('sends two clients the same events, which name the client that cancelled the run', async () => {
    const daemon = await startTestDaemon()
    const [first, second] = [await daemon.peer('first'), await daemon.peer('second')]
    const run = await start(first, 'sim:long words=100000')
    await Promise.all(
      [first, second].map(peer => peer.call('topic.subscribe', { topic: topicOf(run), since: 'start' })),
    )
    await until(() => expect(types(second.events(topicOf(run)))).toContain('assistant_text'))

    await second.call('run.cancel', { run: run.run, reason: 'not needed' })
    const ended = await first.call<Run>('run.wait', { run: run.run })
    expect(ended.state).toBe('cancelled')
    await until(() => {
      expect(first.events(topicOf(run)).at(-1)?.type).toBe('cancelled')
      expect(second.events(topicOf(run)).at(-1)?.type).toBe('cancelled')
    })
    expect(first.events(topicOf(run))).toEqual(second.events(topicOf(run)))
    expectWholeLog(first.events(topicOf(run)))
    expect(first.events(topicOf(run)).at(-1)).toMatchObject({ by: { name: 'second' }, reason: 'not needed' })
    expect(first.events(topicOf(run)).find(({ type }) => type === 'cancel_requested')).toMatchObject({
      by: { name: 'second' },
      mode: 'interrupt',
    })
  })

  it('sends the same events to a client that connects later', async () => {
    const daemon = await startTestDaemon()
    const early = await daemon.peer()
    const run = await start(early, 'sim:thinking')
    await early.call('topic.subscribe', { topic: topicOf(run), since: 'start' })
    await early.call('run.wait', { run: run.run })
    const late = await daemon.peer()
    await late.call('topic.subscribe', { topic: topicOf(run), since: 'start' })
    await until(() => expect(late.events(topicOf(run)).at(-1)?.type).toBe('done'))
    await until(() => expect(early.events(topicOf(run))).toEqual(late.events(topicOf(run))))
  })

  it('serves the next prompt in the same process, and in a resumed one after session.close', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: first.run })
    const before = await peer.call<Session>('session.get', { session: first.session })
    expect(before).toMatchObject({
      state: 'idle',
      process: { pid: expect.any(Number) },
      conversationId: expect.any(String),
    })

    const second = await peer.call<Run>('run.start', { session: first.session, prompt: 'sim:history' })
    await peer.call('run.wait', { run: second.run })
    expect((await peer.call<Session>('session.get', { session: first.session })).process).toEqual(before.process)

    const closed = await peer.call<Session>('session.close', { session: first.session })
    expect(closed).toMatchObject({ state: 'closed', process: null })

    const third = await peer.call<Run>('run.start', { session: first.session, prompt: 'sim:history' })
    const ended = await peer.call<Run>('run.wait', { run: third.run })
    expect(ended.state).toBe('done')
    expect(ended.result?.response).toContain('sim:text')
    const after = await peer.call<Session>('session.get', { session: first.session })
    expect(after.conversationId).toBe(before.conversationId)
    expect(after.costUsd).toBeGreaterThan(before.costUsd)
    // Claude Code's counter continues after a resume. Nothing is counted twice.
    const frames = await peer.call<{ events: { frame: { type?: string; total_cost_usd?: number } }[] }>('topic.read', {
      topic: `${topicOf(first)}/frames`,
      after: 0,
      limit: 1000,
    })
    const results = frames.events.filter(({ frame }) => frame.type === 'result')
    expect(results).toHaveLength(3)
    expect(after.costUsd).toBeCloseTo(results.at(-1)!.frame.total_cost_usd!, 9)
  })

  it('runs the prompts of a session one at a time, in their order', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:text')
    const more = await Promise.all(
      ['two', 'three', 'four', 'five', 'six'].map(text =>
        peer.call<Run>('run.start', { session: first.session, prompt: `sim:text ${text}` }),
      ),
    )
    await peer.call('topic.subscribe', { topic: topicOf(first), since: 'start' })
    await peer.call('run.wait', { run: more.at(-1)!.run })
    await until(() => expect(types(peer.events(topicOf(first))).filter(type => type === 'done')).toHaveLength(6))
    const order = peer.events(topicOf(first)).filter(({ type }) => type === 'run_started' || type === 'done')
    expect(order.map(({ type, run }) => `${type} ${run}`)).toEqual(
      [first, ...more].flatMap(({ run }) => [`run_started ${run}`, `done ${run}`]),
    )
  })

  it('runs at most maxRuns runs at once, and the rest wait', async () => {
    const daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '2'] })
    const peer = await daemon.peer()
    const runs = [await start(peer, 'sim:hang'), await start(peer, 'sim:hang'), await start(peer, 'sim:text')]
    const states = async () => (await peer.call<{ runs: Record<string, number> }>('daemon.status')).runs
    await until(async () => expect(await states()).toEqual({ running: 2, queued: 1 }))
    await peer.call('run.cancel', { run: runs[0]!.run, mode: 'kill' })
    await expect(peer.call<Run>('run.wait', { run: runs[2]!.run })).resolves.toMatchObject({ state: 'done' })
    await peer.call('run.cancel', { run: runs[1]!.run, mode: 'kill' })
    await peer.call('run.wait', { run: runs[1]!.run })
  })

  it('keeps no process after a run with idleCloseMs 0, and the next run resumes the conversation', async () => {
    const daemon = await startTestDaemon({ argv: ['--simulate', '--idle-close-ms', '0'] })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:text')
    expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    await until(async () =>
      expect(await peer.call<Session>('session.get', { session: run.session })).toMatchObject({
        process: null,
        state: 'idle',
      }),
    )
    const next = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:history' })
    expect((await peer.call<Run>('run.wait', { run: next.run })).result?.response).toContain('sim:text')
  })

  it('closes a process that has been idle for idleCloseMs', async () => {
    const daemon = await startTestDaemon({ argv: ['--simulate', '--idle-close-ms', '50'] })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: run.run })
    await until(async () =>
      expect(await peer.call<Session>('session.get', { session: run.session })).toMatchObject({
        process: null,
        state: 'idle',
      }),
    )
  })

  it('continues a run whose client has disconnected', async () => {
    const daemon = await startTestDaemon()
    const gone = await daemon.peer()
    const run = await start(gone, 'sim:long words=2000 delayMs=20')
    gone.terminate()
    const peer = await daemon.peer()
    expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
  })

  it('deletes a session with its log and its raw logs', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    await peer.call('topic.subscribe', { topic: 'sessions' })
    const run = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: run.run })
    await peer.call('session.delete', { session: run.session })
    await expect(peer.call('session.get', { session: run.session })).rejects.toMatchObject({
      error: { data: { kind: 'not_found' } },
    })
    await expect(peer.call('topic.subscribe', { topic: topicOf(run) })).rejects.toThrow(/no topic/)
    await until(() => expect(types(peer.events('sessions')).at(-1)).toBe('session_deleted'))
    const status = await peer.call<{ disk: { rawBytes: number } }>('daemon.status')
    expect(status.disk.rawBytes).toBe(0)
  })

  it('runs a prompt sent during a session.close, and rejects one sent during a session.delete', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: first.run })
    const { session } = first
    const [, second] = await Promise.all([
      peer.call('session.close', { session }),
      peer.call<Run>('run.start', { session, prompt: 'sim:history' }),
    ])
    expect(await peer.call<Run>('run.wait', { run: second.run })).toMatchObject({ state: 'done' })
    const { events } = await peer.call<{ events: WireEvent[] }>('topic.read', { topic: topicOf(first), after: 0 })
    expectWholeLog(events)

    const busy = await peer.call<Run>('run.start', { session, prompt: 'sim:hang' })
    await expect(peer.call('session.delete', { session })).rejects.toMatchObject({
      error: { data: { kind: 'conflict', run: busy.run } },
    })
    const deletion = peer.call('session.delete', { session, force: true })
    await expect(peer.call('run.start', { session, prompt: 'sim:text' })).rejects.toMatchObject({
      error: { data: { kind: 'not_found' } },
    })
    await deletion
    expect(await peer.call('run.list')).toEqual({ runs: [] })
  })

  it('starts one run for two calls with the same key', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const params = { create: { cwd: tempDir() }, prompt: 'sim:text', key: 'once' }
    const [first, second] = await Promise.all([
      peer.call<Run>('run.start', params),
      peer.call<Run>('run.start', params),
    ])
    expect(second.run).toBe(first.run)
    await expect(peer.call('run.start', { ...params, prompt: 'sim:other' })).rejects.toMatchObject({
      error: { data: { kind: 'conflict' } },
    })
    await peer.call('run.wait', { run: first.run })
    expect((await peer.call<{ runs: Run[] }>('run.list')).runs).toHaveLength(1)
  })
})

describe('twenty sessions', () => {
  it('at once leave no terminal, descriptor or process behind when they are closed', async () => {
    const argv = ['--simulate', '--max-runs', '20']
    const daemon = await startTestDaemon({ argv, config: { maxIdleProcesses: 20 } })
    const peer = await daemon.peer()
    const descriptors = () => [daemon.pid, ...ptyHostsOf(daemon.home)].map(pid => readdirSync(`/proc/${pid}/fd`).length)
    const terminals = () => ptyHostsOf(daemon.home).map(ptyMasters)
    const first = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: first.run })
    await peer.call('session.close', { session: first.session })
    const before = descriptors()
    const runs = await Promise.all(Array.from({ length: 20 }, () => start(peer, 'sim:tools')))
    await Promise.all(runs.map(run => peer.call('run.wait', { run: run.run })))
    expect(terminals()).toEqual([20])
    await Promise.all(runs.map(({ session }) => peer.call('session.close', { session })))
    expect(terminals()).toEqual([0])
    await until(() => {
      expect(descriptors()).toEqual(before)
      expect(processesOf(daemon.home)).toEqual([daemon.pid])
    })
  })
})

describe('run.list', () => {
  it('splits a large result into pages, which together hold every run once', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    // The other runs stay queued, because answers would make them larger.
    const first = await start(peer, 'sim:hang')
    for (let count = 0; count < 3; count++) {
      await peer.call('run.start', { session: first.session, prompt: `sim:text ${'x'.repeat(600 * 1024)}` })
    }
    const sizes: number[] = []
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await peer.call<{ runs: Run[]; next?: string }>('run.list', { ...(after && { after }) })
      sizes.push(page.runs.length)
      found.push(...page.runs.map(({ run }) => run))
      if (!page.next) break
      after = page.next
    }
    expect(sizes).toEqual([2, 2])
    expect(new Set(found).size).toBe(4)
    expect(found.at(-1)).toBe(first.run)
    await expect(peer.call('run.list', { after: 'r_none' })).rejects.toMatchObject({
      error: { data: { path: '/after' } },
    })
  })
})

describe('the frames topic of a session', () => {
  it('gives the same frames live and when they are read again', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:tools')
    const topic = `${topicOf(run)}/frames`
    await peer.call('topic.subscribe', { topic, since: 'start' })
    await peer.call('run.wait', { run: run.run })
    await until(() => expect(JSON.stringify(peer.events(topic))).toContain('"subtype":"success"'))
    const live = peer.events(topic)
    expect(live.map(({ seq }) => seq)).toEqual(live.map((_event, index) => index + 1))
    const page = await peer.call<{ events: unknown[] }>('topic.read', { topic, after: 0, limit: live.length })
    expect(page.events).toEqual(live)
  })
})
