import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { ptyHostsOf, processesOf, startTestDaemon } from '../support/daemon.ts'
import type { RpcPeer } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { until } from '../support/until.ts'

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const untilText = async (peer: RpcPeer, run: Run, count = 1) => {
  const topic = `session/${run.session}`
  await peer.call('topic.subscribe', { topic, since: 'start' })
  const texts = () => peer.events(topic).filter(({ type }) => type === 'assistant_text')
  await until(() => expect(texts().length).toBeGreaterThanOrEqual(count))
}
const recording = fileURLToPath(new URL('../fixtures/recordings/bash.raw', import.meta.url))
const readAll = (peer: RpcPeer, session: string) => readLog(params => peer.call('topic.read', params), session)

describe.each(['SIGTERM', 'daemon.stop'])('a daemon that is stopped by %s', how => {
  it('interrupts all runs, notifies its clients, leaves no process and exits with 0', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:long words=100000')
    const queued = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    await untilText(peer, run)
    if (how === 'SIGTERM') process.kill(daemon.pid, 'SIGTERM')
    else await peer.call('daemon.stop')
    expect(await peer.closed).toBe(4000)
    expect(await daemon.stop()).toBe(0)

    expect(peer.notifications.at(-1)).toMatchObject({ method: 'bye', params: { code: 4000, reconnect: true } })
    const events = peer.events(`session/${run.session}`)
    expectWholeLog(events)
    const ends = events.filter(({ type }) => type === 'interrupted')
    expect(ends.map(event => event.run)).toEqual([run.run, queued.run])
    expect(existsSync(join(daemon.home, 'daemon.json'))).toBe(false)
    expect(existsSync(join(daemon.home, 'muxd.sock'))).toBe(false)
    expect(processesOf(daemon.home)).toEqual([])

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await readAll(later, run.session)).toEqual(events)
    expect(await later.call('run.get', { run: run.run })).toMatchObject({ state: 'interrupted' })
  })
})

it('daemon.json has the arguments, and daemon.stop with restart closes connections with 4001', async () => {
  const daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '3'] })
  expect(daemon.info.args).toEqual(['--simulate', '--max-runs', '3'])
  const peer = await daemon.peer()
  await peer.call('daemon.stop', { restart: true })
  expect(await peer.closed).toBe(4001)
  expect(peer.notifications.at(-1)).toMatchObject({ method: 'bye', params: { code: 4001, reconnect: true } })
  expect(await daemon.stop()).toBe(0)
})

describe('the daemon that follows a killed one', () => {
  it('continues the same run in the same process, with every event once', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:long words=600 delayMs=1000')
    await untilText(peer, run, 20)
    const session = await peer.call<Session>('session.get', { session: run.session })
    await daemon.kill()
    const seen = peer.events(`session/${run.session}`)

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await later.call('run.get', { run: run.run })).toMatchObject({ state: 'running' })
    expect(await later.call('session.get', { session: run.session })).toMatchObject({ process: session.process })
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    const events = await readAll(later, run.session)
    expectWholeLog(events)
    expect(events.slice(0, seen.length)).toEqual(seen)
    expect(events.filter(({ type }) => type === 'session_init')).toHaveLength(1)
    const texts = events.filter(({ type }) => type === 'assistant_text').map(({ delta }) => delta)
    expect(events.at(-1)!['response']).toBe(texts.join(''))
    expect(next.log()).not.toMatch(/"level":"(warn|error)"/)

    const again = await later.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await later.call<Run>('run.wait', { run: again.run })).toMatchObject({ state: 'done' })
    expect(await later.call('session.get', { session: run.session })).toMatchObject({ process: session.process })
    expectWholeLog(await readAll(later, run.session))
  })

  it('translates output printed while no daemon ran, including the end of the process', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, `sim:replay recording=${recording} speed=2`)
    await until(async () =>
      expect((await readAll(peer, run.session)).map(({ type }) => type)).toContain('session_init'),
    )
    await daemon.kill()
    // The pty-host exits by itself when the run has ended and no daemon is attached.
    await until(() => expect(ptyHostsOf(daemon.home)).toEqual([]), { timeout: 30_000 })

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    expectWholeLog(await readAll(later, run.session))
    expect(await later.call('session.get', { session: run.session })).toMatchObject({ process: null })
  })

  it('continues a cancel in the name of the client that requested it', async () => {
    const daemon = await startTestDaemon({ config: { cancelGraceMs: 60_000 } })
    const peer = await daemon.peer('the canceller')
    const run = await start(peer, 'sim:hang ignore=interrupt')
    await untilText(peer, run, 0)
    await until(async () =>
      expect((await peer.call<Session>('session.get', { session: run.session })).head).toBeGreaterThan(2),
    )
    await peer.call('run.cancel', { run: run.run, reason: 'enough' })
    await daemon.kill()
    const next = await startTestDaemon({ home: daemon.home, config: { cancelGraceMs: 200 } })
    const later = await next.peer()
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'cancelled' })
    const events = await readAll(later, run.session)
    expectWholeLog(events)
    expect(events.at(-1)).toMatchObject({ type: 'cancelled', by: { name: 'the canceller' }, reason: 'enough' })
  })

  it('starts the queued runs in their turn', async () => {
    const daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '1'] })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:hang')
    const queued = await start(peer, 'sim:text')
    const sameSession = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    await until(async () => expect(await peer.call('run.get', { run: run.run })).toMatchObject({ state: 'running' }))
    await daemon.kill()
    const next = await startTestDaemon({ home: daemon.home, argv: ['--simulate', '--max-runs', '1'] })
    const later = await next.peer()
    expect(await later.call('run.get', { run: queued.run })).toMatchObject({ state: 'queued' })
    await later.call('run.cancel', { run: run.run, mode: 'kill' })
    expect(await later.call<Run>('run.wait', { run: queued.run })).toMatchObject({ state: 'done' })
    expect(await later.call<Run>('run.wait', { run: sameSession.run })).toMatchObject({ state: 'done' })
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'cancelled' })
    const session = await later.call<Session>('session.get', { session: queued.session })
    expect(session.head).toBe((await readAll(later, queued.session)).length)
  })

  it('starts despite the old lock and socket, and keeps the token', async () => {
    const daemon = await startTestDaemon()
    await daemon.kill()
    expect(existsSync(join(daemon.home, 'muxd.sock'))).toBe(true)
    const next = await startTestDaemon({ home: daemon.home })
    expect(next.info.token).toBe(daemon.info.token)
    expect(next.info.instance).not.toBe(daemon.info.instance)
    await next.peer()
  })
})

describe('a daemon that is stopped with keepSessions', () => {
  it('exits in order, and the next daemon continues its runs', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:long words=100 delayMs=1000')
    await untilText(peer, run, 5)
    await peer.call('daemon.stop', { keepSessions: true })
    expect(await peer.closed).toBe(4000)
    expect(await daemon.stop()).toBe(0)
    const seen = peer.events(`session/${run.session}`)
    expect(seen.map(({ type }) => type)).not.toContain('interrupted')
    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'done' })
    const events = await readAll(later, run.session)
    expectWholeLog(events)
    expect(events.slice(0, seen.length)).toEqual(seen)
  })

  it('leaves an exit that it has just read to the next daemon', async () => {
    const first = await startTestDaemon({ argv: ['--simulate', '--max-runs', '100'] })
    let daemon = first
    for (let round = 0; round < 6; round++) {
      const peer = await daemon.peer()
      await peer.call('topic.subscribe', { topic: 'sessions' })
      const starting = Array.from({ length: 10 }, () => start(peer, 'sim:crash'))
      const ends = () =>
        peer.events('sessions').filter(event => (event['run'] as { state?: string } | null)?.state === 'failed')
      const runs = await Promise.all(starting)
      // The other runs end at about the same time.
      await until(() => expect(ends().length).toBeGreaterThan(round), { interval: 1 })
      await peer.call('daemon.stop', { keepSessions: true })
      expect(await daemon.stop()).toBe(0)
      daemon = await startTestDaemon({ home: first.home, argv: ['--simulate', '--max-runs', '100'] })
      const later = await daemon.peer()
      const states = await Promise.all(runs.map(async ({ run }) => (await later.call<Run>('run.wait', { run })).state))
      expect(states).toEqual(runs.map(() => 'failed'))
    }
  })
})

describe('a pty-host that is killed', () => {
  it('interrupts its runs with their output so far, and sessions continue in the next one', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const first = await start(peer, 'sim:text')
    await peer.call('run.wait', { run: first.run })
    const prompt = 'sim:long words=100000 delayMs=100'
    const runs = await Promise.all([
      peer.call<Run>('run.start', { session: first.session, prompt }),
      start(peer, prompt),
      start(peer, prompt),
    ])
    for (const run of runs) await untilText(peer, run, 10)
    const [ptyHost] = ptyHostsOf(daemon.home)
    process.kill(ptyHost!, 'SIGKILL')
    for (const run of runs) {
      expect(await peer.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'interrupted' })
      const events = await readAll(peer, run.session)
      expectWholeLog(events)
      const texts = events.filter(event => event.type === 'assistant_text' && event.run === run.run)
      expect(events.at(-1)).toMatchObject({
        type: 'interrupted',
        response: texts.map(({ delta }) => delta).join(''),
      })
    }
    const again = await peer.call<Run>('run.start', { session: first.session, prompt: 'sim:text' })
    expect(await peer.call<Run>('run.wait', { run: again.run })).toMatchObject({ state: 'done' })
    const inits = (await readAll(peer, first.session)).filter(({ type }) => type === 'session_init')
    expect(new Set(inits.map(event => event['claudeSessionId'])).size).toBe(1)
    expect(ptyHostsOf(daemon.home)).not.toContain(ptyHost)
  })

  it('together with its daemon leaves a run that the next daemon ends once as interrupted', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:long words=100000 delayMs=100')
    await untilText(peer, run, 20)
    const seen = peer.events(`session/${run.session}`)
    for (const pid of ptyHostsOf(daemon.home)) process.kill(pid, 'SIGKILL')
    await daemon.kill()

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'interrupted' })
    const events = await readAll(later, run.session)
    expectWholeLog(events)
    expect(events.slice(0, seen.length)).toEqual(seen)
    await until(() => expect(processesOf(daemon.home)).toEqual([next.pid]))
    const again = await later.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await later.call<Run>('run.wait', { run: again.run })).toMatchObject({ state: 'done' })
    expectWholeLog(await readAll(later, run.session))
  })
})
