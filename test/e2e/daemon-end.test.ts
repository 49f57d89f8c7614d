import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run, Session } from '../../protocol/index.ts'
import { processesOf, startTestDaemon } from '../support/daemon.ts'
import { appendToRawLog, rawLogsOf } from '../support/raw-log.ts'
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
const readAll = (peer: RpcPeer, session: string) => readLog(params => peer.call('topic.read', params), session)

describe.each(['SIGTERM', 'daemon.stop'])('a daemon that is stopped by %s', how => {
  it('ends what runs as interrupted, tells everybody, leaves nothing running and exits 0', async () => {
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

it('a daemon that is started again says so to its clients, and in daemon.json how', async () => {
  const daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '3'] })
  expect(daemon.info.args).toEqual(['--simulate', '--max-runs', '3'])
  const peer = await daemon.peer()
  await peer.call('daemon.stop', { restart: true })
  expect(await peer.closed).toBe(4001)
  expect(peer.notifications.at(-1)).toMatchObject({ method: 'bye', params: { code: 4001, reconnect: true } })
  expect(await daemon.stop()).toBe(0)
})

describe('a daemon that was killed', () => {
  it('is followed by one that has every event, ends the run as interrupted and what it had started', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:long words=100000 delayMs=100')
    await untilText(peer, run, 20)
    await daemon.kill()
    const seen = peer.events(`session/${run.session}`)

    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    const events = await readAll(later, run.session)
    expectWholeLog(events)
    expect(events.slice(0, seen.length)).toEqual(seen)
    // Nothing that was seen comes again under another number.
    expect(events.filter(({ type }) => type === 'session_init')).toHaveLength(1)
    const texts = events.filter(({ type }) => type === 'assistant_text').map(({ delta }) => delta)
    expect(events.at(-1)!['response']).toBe(texts.join(''))
    expect(events.at(-1)).toMatchObject({ type: 'interrupted', run: run.run, response: expect.stringMatching(/\w/) })
    await until(() => expect(processesOf(daemon.home)).toEqual([next.pid]))

    const again = await later.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    expect(await later.call<Run>('run.wait', { run: again.run })).toMatchObject({ state: 'done' })
    expectWholeLog(await readAll(later, run.session))
  })

  it('is followed by one that translates what had been printed and not been read', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:hang at=text')
    await untilText(peer, run)
    // The raw log goes on while the daemon does not: as after a kill between the append and the translation.
    process.kill(daemon.pid, 'SIGSTOP')
    const line = JSON.stringify({ type: 'system', subtype: 'planted', text: 'the last line' })
    appendToRawLog(rawLogsOf(daemon.home)[0]!, `${line}\n`)
    await daemon.kill()

    const next = await startTestDaemon({ home: daemon.home })
    const events = await readAll(await next.peer(), run.session)
    expectWholeLog(events)
    expect(events.at(-2)).toMatchObject({ type: 'notice', frame: { text: 'the last line' } })
    expect(events.at(-1)).toMatchObject({ type: 'interrupted' })
  })

  it('is followed by one that goes on with the runs that were queued', async () => {
    const daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '1'] })
    const peer = await daemon.peer()
    const run = await start(peer, 'sim:hang')
    const queued = await start(peer, 'sim:text')
    await untilText(peer, run)
    await daemon.kill()
    const next = await startTestDaemon({ home: daemon.home })
    const later = await next.peer()
    expect(await later.call<Run>('run.wait', { run: queued.run })).toMatchObject({ state: 'done' })
    expect(await later.call<Run>('run.wait', { run: run.run })).toMatchObject({ state: 'interrupted' })
    const session = await later.call<Session>('session.get', { session: queued.session })
    expect(session.head).toBe((await readAll(later, queued.session)).length)
  })

  it('leaves no lock and no socket in the way, and keeps its tokens', async () => {
    const daemon = await startTestDaemon()
    await daemon.kill()
    expect(existsSync(join(daemon.home, 'muxd.sock'))).toBe(true)
    const next = await startTestDaemon({ home: daemon.home })
    expect(next.info.token).toBe(daemon.info.token)
    expect(next.info.instance).not.toBe(daemon.info.instance)
    await next.peer()
  })
})
