import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/sdk/index.ts'
import type { HookPoint } from '../../daemon/hook-points.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { ptyHostsOf, startTestDaemon } from '../support/daemon.ts'
import { startFollower, timing } from '../support/follower.ts'
import { isAlive } from '../support/processes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { testSeed } from '../support/test-seed.ts'

const patience = { timeout: 60_000, interval: 20 }

/** Real speed, so that minutes of output are not most of the work. */
const speed = { MUXD_SIMULATOR_SPEED: '1' }

/** The environment may set a lower number for a quick try. */
const kills = Number(process.env['KILLS'] ?? 200)

describe('a daemon that is killed at random moments under load', () => {
  it(`ends no process, and every client has every event once, after ${kills} kills`, {
    timeout: 1_800_000,
  }, async () => {
    // Leaves room for every process to stay idle after the cancellation of its run.
    const config = { maxIdleProcesses: 40 }
    let daemon = await startTestDaemon({ argv: ['--simulate', '--max-runs', '40'], env: speed, config })
    const { home, info } = daemon
    const starter = await connect({ home, timing })
    onTestFinished(() => starter.close())
    const long = await Promise.all(
      Array.from({ length: 20 }, () =>
        starter.run({ prompt: 'sim:flood frames=1000000 rate=10 size=100', cwd: tempDir() }),
      ),
    )
    const sessions = long.map(({ session }) => session)
    const pids = await until(
      () =>
        Promise.all(
          sessions.map(async session => {
            const { process } = await starter.api.session.get({ session })
            expect(process).not.toBeNull()
            return process!.pid
          }),
        ),
      patience,
    )
    const short = await starter.api.session.create({ cwd: tempDir() })
    const followers = await Promise.all(
      Array.from({ length: 5 }, () => startFollower({ home }, [...sessions, short.session])),
    )
    const [ptyHost] = ptyHostsOf(home)

    const waits = fc.sample(fc.integer({ min: 0, max: 250 }), { numRuns: kills, seed: testSeed(20261121) })
    const started: Promise<{ result(): Promise<unknown> }>[] = []
    for (const [index, wait] of waits.entries()) {
      // The call is sent and answered across the kills.
      if (index % 10 === 0) started.push(starter.run({ prompt: 'sim:text delayMs=5', session: short.session }))
      await delay(wait)
      await daemon.kill()
      daemon = await startTestDaemon({
        home,
        argv: ['--simulate', '--max-runs', '40', '--port', new URL(info.url).port],
        env: speed,
        config,
      })
      expect(daemon.log()).not.toMatch(/"level":"error"/)
    }
    for (const run of await Promise.all(started)) await run.result()
    for (const run of long) await run.cancel('enough')
    await Promise.all(long.map(run => run.result().catch(() => {})))

    expect(ptyHostsOf(home)).toEqual([ptyHost])
    expect(pids.filter(pid => !isAlive(pid))).toEqual([])
    for (const session of [...sessions, short.session]) {
      const log = await readLog(starter.api.topic.read, session)
      for (const { logs } of followers) await until(() => expectWholeLog(logs.get(session)!, { log }), patience)
      expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    }
    const { runs } = await starter.api.run.list({ session: short.session, limit: 200 })
    expect(runs).toHaveLength(started.length)
    expect(new Set(runs.map(({ state }) => state))).toEqual(new Set(['done']))
  })
})

const places: [HookPoint, number][] = [
  ['read', 0],
  ['read', 1],
  ['read', 20],
  ['gathered', 3],
  ['gathered', 25],
  ['committed', 0],
  ['committed', 2],
  ['committed', 25],
  ['synced', 0],
  ['synced', 1],
  ['checkpointed', 0],
  ['published', 3],
  ['published', 25],
]

describe('a daemon that is killed', () => {
  it.each(places)('at kill point %s, passed %i times before, loses and duplicates no event', async (point, count) => {
    const { home, pid } = await startTestDaemon({ env: { MUXD_KILL_AT: `${point}:${count}` } })
    const starter = await connect({ home, timing, patient: true })
    onTestFinished(() => starter.close())
    // Long enough to reach each kill point, also the checkpoint of the write-ahead log.
    const [frames, size] = point === 'checkpointed' ? [600, 10_000] : [100, 100]
    const prompt = `sim:flood frames=${frames} rate=300 size=${size}`
    const first = starter.run({ prompt, cwd: tempDir() })
    const second = first.then(({ session }) => starter.run({ prompt: 'sim:tools', session }))
    const follower = first.then(({ session }) => startFollower({ home, patient: true }, [session]))
    await until(() => expect(isAlive(pid)).toBe(false), patience)

    await startTestDaemon({ home })
    const { session } = await first
    await (await first).result()
    await (await second).result()
    const log = await readLog(starter.api.topic.read, session)
    await until(async () => expectWholeLog((await follower).logs.get(session)!, { log }), patience)
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    const { runs } = await starter.api.run.list({ session })
    expect(runs.map(({ state }) => state)).toEqual(['done', 'done'])
    // A single process served both runs.
    const inits = new Set(log.flatMap(event => (event.type === 'session_init' ? [event['claudeSessionId']] : [])))
    expect(inits.size).toBe(1)
  })
})

/** What is stored of the newest run and the newest process. */
function storedIn(home: string) {
  const database = openSqlite(join(home, 'muxd.db'))
  const newest = (columns: string, table: string) =>
    database.prepare(`SELECT ${columns} FROM ${table} ORDER BY number DESC`).get()
  const run = newest('state', 'runs') as { state: string } | undefined
  const process = newest('pid, offset', 'processes') as { pid: number; offset: number } | undefined
  database.close()
  return { run: run?.state ?? 'none', process: processStateOf(process), offset: process?.offset ?? 0 }
}

function processStateOf(row: { pid: number; offset: number } | undefined) {
  if (!row) return 'no process'
  if (row.offset > 0) return 'output'
  return row.pid > 0 ? 'process' : 'process without pid'
}

/** One read may give all the output of a short run. */
const runningOrDone: unknown = expect.stringMatching(/^(running|done)$/)

/** The entries with which a run of a new session starts, by what is stored behind each. */
const startEntries = [
  ['queued', 'no process'],
  ['running', 'no process'],
  ['running', 'process without pid'],
  ['running', 'process'],
  [runningOrDone, 'output'],
] as const

describe('a daemon that is killed while it starts a run', () => {
  it.each([
    ...startEntries.map((_, index) => ['gathered', index] as const),
    ...startEntries.map((_, index) => ['committed', index] as const),
  ])('at %s entry %i, lets the next one run the prompt once', async (point, index) => {
    const { home, pid } = await startTestDaemon({ env: { MUXD_KILL_AT: `${point}:${index}` } })
    const mux = await connect({ home, timing, patient: true })
    onTestFinished(() => mux.close())
    const run = mux.run({ prompt: 'sim:text one', cwd: tempDir() })
    await until(() => expect(isAlive(pid)).toBe(false), patience)
    const stored = storedIn(home)
    const last = point === 'gathered' ? index - 1 : index
    expect([stored.run, stored.process]).toEqual(startEntries[last] ?? ['none', 'no process'])

    await startTestDaemon({ home })
    expect((await (await run).result()).response).toBe('one')
    const { session } = await run
    const log = await readLog(mux.api.topic.read, session)
    expectWholeLog(log)
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    expect(log.filter(({ type }) => type === 'run_started')).toHaveLength(1)
    expect(log.filter(({ type }) => type === 'session_init')).toHaveLength(1)
    expect((await mux.api.run.list({ session })).runs.map(({ state }) => state)).toEqual(['done'])
  })
})

describe('a daemon that is killed while it sends a prompt to an existing process', () => {
  // The entries: the run is queued, it is started, its process prints.
  it.each([
    ['gathered:0', 'done', 'no output'],
    ['committed:0', 'queued', 'no output'],
    ['gathered:1', 'queued', 'no output'],
    ['committed:1', 'running', 'no output'],
    ['sent:1', 'running', 'no output'],
    ['gathered:2', 'running', 'no output'],
    ['committed:2', runningOrDone, 'output'],
    ['gathered:3', runningOrDone, 'output'],
    ['committed:3', runningOrDone, 'output'],
  ])('at %s, lets the next one run the prompt once', async (place, state, output) => {
    const first = await startTestDaemon()
    const { home } = first
    const mux = await connect({ home, timing, patient: true })
    onTestFinished(() => mux.close())
    const { session, result } = await mux.run({ prompt: 'sim:text one', cwd: tempDir() })
    await result()
    await first.kill()
    const before = storedIn(home)
    const second = await startTestDaemon({ home, env: { MUXD_KILL_AT: place } })
    const run = mux.run({ prompt: 'sim:text two', session })
    await until(() => expect(isAlive(second.pid)).toBe(false), patience)
    const stored = storedIn(home)
    expect([stored.run, stored.offset > before.offset ? 'output' : 'no output']).toEqual([state, output])
    await startTestDaemon({ home })
    expect((await (await run).result()).response).toBe('two')
    const log = await readLog(mux.api.topic.read, session)
    expectWholeLog(log)
    expect(log.filter(event => event.run === null)).toEqual([])
    expect(log.filter(({ type }) => type === 'session_init')).toHaveLength(2)
  })
})

describe('a killed daemon whose checkpoint is lost', () => {
  it('is followed by one that derives events twice and reports log_damaged', async () => {
    const daemon = await startTestDaemon()
    const starter = await connect({ home: daemon.home, timing })
    onTestFinished(() => starter.close())
    const run = await starter.run({ prompt: 'sim:flood frames=300 rate=300 size=100', cwd: tempDir() })
    const follower = await startFollower({ home: daemon.home }, [run.session])
    await until(() => expect(follower.logs.get(run.session)!.length).toBeGreaterThan(50), patience)
    await daemon.kill()
    const database = openSqlite(join(daemon.home, 'muxd.db'))
    database.exec('UPDATE processes SET offset = 0')
    database.close()

    await startTestDaemon({ home: daemon.home })
    await run.result()
    const types = (await readLog(starter.api.topic.read, run.session)).map(({ type }) => type)
    expect(types).toContain('log_damaged')
    expect(types.filter(type => type === 'session_init')).toHaveLength(2)
  })
})

describe('a pty-host that is killed', () => {
  it.each([0, 3, 30])('right after an append, with %i appends before, leaves a consistent log', async count => {
    const { home } = await startTestDaemon({ env: { MUXD_KILL_AT: `appended:${count}` } })
    const starter = await connect({ home, timing })
    onTestFinished(() => starter.close())
    const run = await starter.run({ prompt: 'sim:flood frames=3000 rate=300 size=100', cwd: tempDir() })
    const follower = await startFollower({ home }, [run.session])
    await expect(run.result()).rejects.toMatchObject({ name: expect.stringMatching(/^Run(Interrupted|Failed)$/) })
    const log = await readLog(starter.api.topic.read, run.session)
    await until(() => expectWholeLog(follower.logs.get(run.session)!, { log }), patience)
  })
})
