import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import type { Run, Session } from '../../protocol/index.ts'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { canInjectFaults, createFaults, type FaultRule } from '../support/faults/faults.ts'
import { isAlive } from '../support/processes.ts'
import type { RpcPeer, WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const start = (peer: RpcPeer, prompt: string) => peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt })
const wait = (peer: RpcPeer, run: Run) => peer.call<Run>('run.wait', { run: run.run, timeoutMs: 30_000 })
const follow = async (peer: RpcPeer, run: Run) => {
  const topic = `session/${run.session}`
  await peer.call('topic.subscribe', { topic, since: 'start' })
  await until(() => expect(peer.events(topic).map(({ type }) => type)).toContain('assistant_text'))
  return (): WireEvent[] => peer.events(topic)
}
const read = (peer: RpcPeer, run: Run) => readLog<WireEvent>(params => peer.call('topic.read', params), run.session)

async function faultyDaemon() {
  const home = tempHome()
  const faults = createFaults(home)
  const daemon = await startTestDaemon({ home, env: faults.env })
  return { daemon, faults, peer: await daemon.peer() }
}

/** Returns the text of the complete lines of the longest raw log. The exit record follows the line that a kill cuts. */
function textIn(directory: string): string {
  const logs = readdirSync(directory).flatMap(name =>
    name.endsWith('.raw') ? [readFileSync(join(directory, name), 'utf8')] : [],
  )
  const longest = logs.toSorted((one, other) => other.length - one.length)[0]!
  const frames = longest
    .split('\n')
    .slice(0, -1)
    .flatMap(line => (line.includes('text_delta') && !line.includes('\x1e') ? [JSON.parse(line)] : []))
  return frames.map(frame => (frame as { event: { delta: { text: string } } }).event.delta.text).join('')
}

const both = (path: string, fault: FaultRule['fault']): FaultRule => ({ operation: 'write', path, fault })

describe.skipIf(!canInjectFaults)('a failing disk (skipped without a C compiler)', () => {
  it.each([
    ['ENOSPC', 'disk_full', '*.raw'],
    ['ENOSPC', 'disk_full', '*.times'],
    ['EIO', 'unknown', '*.raw'],
  ] as const)('with %s fails the writing run with code %s if the error affects %s', async (error, code, path) => {
    const { peer, faults } = await faultyDaemon()
    const quiet = await start(peer, 'sim:hang at=text')
    const quietEvents = await follow(peer, quiet)
    const loud = await start(peer, 'sim:flood frames=1000000 size=200 rate=500')
    const loudEvents = await follow(peer, loud)

    faults.set(both(path, error))
    expect(await wait(peer, loud)).toMatchObject({ state: 'failed', result: { failure: { code, retryable: true } } })
    await until(() => expect(loudEvents().at(-1)).toMatchObject({ type: 'failed' }))
    expect(await peer.call('run.get', { run: quiet.run })).toMatchObject({ state: 'running' })
    expect(await read(peer, quiet)).toEqual(quietEvents())

    faults.set()
    const again = await peer.call<Run>('run.start', { session: loud.session, prompt: 'sim:text' })
    expect(await wait(peer, again)).toMatchObject({ state: 'done' })
    await until(async () => expectWholeLog(loudEvents(), { log: await read(peer, loud) }))
    await peer.call('run.cancel', { run: quiet.run })
    expect(await wait(peer, quiet)).toMatchObject({ state: 'cancelled' })
  })

  it.each([
    ['ENOSPC', 'disk_full'],
    ['EIO', 'unknown'],
  ] as const)('with %s in the database fails the run with code %s, but no run after the fault', async (error, code) => {
    const { peer, faults, daemon } = await faultyDaemon()
    const quiet = await start(peer, 'sim:hang at=text')
    const quietEvents = await follow(peer, quiet)
    const loud = await start(peer, 'sim:flood frames=1000000 size=200 rate=500')
    const loudEvents = await follow(peer, loud)
    const { pid } = (await peer.call<Session>('session.get', { session: loud.session })).process!

    faults.set(both('*/muxd.db*', error))
    await until(() => expect(daemon.log()).toContain(loud.session))
    // Writes fail, and stored events remain readable.
    await expect(start(peer, 'sim:text')).rejects.toThrow('could not be stored')
    expect(await read(peer, quiet)).toEqual(quietEvents())
    const seen = loudEvents().length
    expect((await read(peer, loud)).slice(0, seen)).toEqual(loudEvents().slice(0, seen))
    // The process is killed, although the end of its run cannot be stored yet.
    await until(() => expect(isAlive(pid)).toBe(false))

    faults.set()
    expect(await wait(peer, loud)).toMatchObject({ state: 'failed', result: { failure: { code, retryable: true } } })
    await until(async () => expectWholeLog(loudEvents(), { log: await read(peer, loud) }))
    // Output that could not be stored is read again. Its events follow the end of the run.
    const printed = textIn(join(daemon.home, 'processes'))
    expect(printed.length).toBeGreaterThan(0)
    await until(async () => {
      const log = await read(peer, loud)
      const texts = log.filter(({ type }) => type === 'assistant_text').map(({ delta }) => delta)
      expect(texts.join('').length).toBe(printed.length)
      expect(texts.join('') === printed).toBe(true)
      expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    })
    await until(async () => {
      const run = await start(peer, 'sim:text')
      expect(await wait(peer, run)).toMatchObject({ state: 'done' })
    })
    await peer.call('run.cancel', { run: quiet.run })
    expect(await wait(peer, quiet)).toMatchObject({ state: 'cancelled' })
    await until(async () => expectWholeLog(quietEvents(), { log: await read(peer, quiet) }))
  })

  it.each([
    ['the raw logs', { operation: 'write', path: '*.raw', fault: 'stall' }],
    ['the database', { operation: 'write', path: '*/muxd.db*', fault: 'stall' }],
  ] satisfies [string, FaultRule][])(
    'that stalls writes to %s for 5 s loses no output and ends no run',
    async (_what, rule) => {
      const { peer, faults } = await faultyDaemon()
      const runs = [
        await start(peer, 'sim:flood frames=2000 size=200 rate=500'),
        await start(peer, 'sim:flood frames=2000 size=200 rate=500'),
      ]
      const events = [await follow(peer, runs[0]!), await follow(peer, runs[1]!)]
      faults.set(rule)
      const stall = delay(5_000)
      if (rule.path === '*.raw') {
        // Only terminals are blocked. Stored events remain readable meanwhile.
        const held = await Promise.race([delay(1_000).then(() => read(peer, runs[0]!)), stall])
        expect(held).toBeInstanceOf(Array)
        await stall
        expect(await read(peer, runs[0]!)).toEqual(held)
      }
      await stall
      faults.set()
      for (const [index, run] of runs.entries()) {
        expect(await wait(peer, run)).toMatchObject({ state: 'done' })
        const log = await read(peer, run)
        await until(() => expectWholeLog(events[index]!(), { log }))
        const texts = log.filter(({ type }) => type === 'assistant_text').map(({ delta }) => delta)
        expect(texts.join('')).toHaveLength(2_000 * 200)
      }
    },
  )

  it('that stalls in a sync delays only the terminal event of the run', async () => {
    const { daemon, peer, faults } = await faultyDaemon()
    const run = await start(peer, 'sim:text')
    const events = await follow(peer, run)
    await wait(peer, run)
    faults.set({ operation: 'sync', path: '*/muxd.db-wal', fault: 'stall' })
    const late = await peer.call<Run>('run.start', { session: run.session, prompt: 'sim:text' })
    const other = await start(peer, 'sim:hang at=text')
    await follow(peer, other)
    const db = openSqlite(join(daemon.home, 'muxd.db'))
    const stored = db.value<[string], string>('SELECT state FROM runs WHERE id = ?')
    await until(() => expect(stored.get(late.run)).toBe('done'))
    db.close()
    await delay(5_000)
    expect(await peer.call('run.get', { run: late.run })).toMatchObject({ state: 'running' })
    expect(events().filter(({ type, run: of }) => type === 'done' && of === late.run)).toEqual([])
    expect(await read(peer, other)).toEqual(peer.events(`session/${other.session}`))
    faults.set()
    await until(() => expect(events().at(-1)).toMatchObject({ type: 'done', run: late.run }))
    expectWholeLog(events(), { log: await read(peer, run) })
  })

  it('that refuses to sync a raw log ends no run, and is logged', async () => {
    const { daemon, peer, faults } = await faultyDaemon()
    faults.set({ operation: 'sync', path: '*.raw', fault: 'EIO' })
    expect(await wait(peer, await start(peer, 'sim:text'))).toMatchObject({ state: 'done' })
    expect(daemon.log()).toContain('a raw log could not be synced to the disk')
  })
})
