import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../client/sdk/index.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { timing } from '../support/follower.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

const patience = { timeout: 30_000, interval: 20 }

/** Kills a daemon in the middle of a turn, when the process has already printed a lot. */
async function killedLate(frames = 12_000) {
  const daemon = await startTestDaemon()
  const mux = await connect({ home: daemon.home, timing, patient: true })
  onTestFinished(() => mux.close())
  const run = await mux.run({ prompt: `sim:flood frames=${frames} rate=4000 size=100`, cwd: tempDir() })
  const topic = `session/${run.session}` as const
  await until(async () => {
    const { head } = await mux.api.topic.read({ topic, after: 0, limit: 1 })
    expect(head).toBeGreaterThan(9_000)
  }, patience)
  await daemon.kill()
  return { daemon, mux, run, database: join(daemon.home, 'muxd.db') }
}

/** Returns how many bytes of the raw log the daemon read again when it took the process over. */
function reread(daemon: TestDaemon) {
  const lines = daemon
    .log()
    .split('\n')
    .filter(line => line.includes('a process was taken over'))
  expect(lines).toHaveLength(1)
  return (JSON.parse(lines[0]!) as { reread: { bytes: number } }).reread.bytes
}

function changeDatabase(file: string, statement: string) {
  const database = openSqlite(file)
  database.exec(statement)
  database.close()
}

const offsetIn = (file: string) => {
  const database = openSqlite(file)
  const row = database.prepare<[], { offset: number }>('SELECT offset FROM processes').get()
  database.close()
  return row!.offset
}

describe('taking over a process with much output', () => {
  it('rereads only the output after the last snapshot, without log_damaged', async () => {
    const { daemon, mux, run, database } = await killedLate()
    const offset = offsetIn(database)
    const next = await startTestDaemon({ home: daemon.home })
    expect(reread(next)).toBeLessThan(offset / 2)
    await run.result()
    const log = await readLog(mux.api.topic.read, run.session)
    expectWholeLog(log)
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    // A process that has ended needs no snapshot.
    await mux.api.session.close({ session: run.session })
    await next.stop()
    const left = openSqlite(database)
    expect(left.prepare<[], { count: number }>('SELECT count(*) AS count FROM snapshots').get()).toEqual({ count: 0 })
    left.close()
  })

  it('stores a new snapshot soon, so that the next daemon rereads little', async () => {
    const { daemon, mux, run, database } = await killedLate(1_000_000)
    changeDatabase(database, 'DELETE FROM snapshots')
    const offset = offsetIn(database)
    const next = await startTestDaemon({ home: daemon.home })
    expect(reread(next)).toBe(offset)
    await until(() => expect(offsetIn(database)).toBeGreaterThan(offset), patience)
    await next.kill()
    const last = await startTestDaemon({ home: daemon.home })
    expect(reread(last)).toBeLessThan(offset / 2)
    await run.cancel()
    await expect(run.result()).rejects.toThrow('cancelled')
    const log = await readLog(mux.api.topic.read, run.session)
    expectWholeLog(log)
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
  })

  it.each([
    ['of another version', `UPDATE snapshots SET version = 'other'`],
    ['that has changed', `UPDATE snapshots SET memory = zeroblob(length(memory))`],
    ['with a seq beyond the log', `UPDATE snapshots SET seq = seq + 1000000`],
  ])('does not use a snapshot %s and rereads all output', async (_which, statement) => {
    const { daemon, mux, run, database } = await killedLate()
    changeDatabase(database, statement)
    const offset = offsetIn(database)
    const next = await startTestDaemon({ home: daemon.home })
    expect(reread(next)).toBe(offset)
    await run.result()
    expect((await readLog(mux.api.topic.read, run.session)).map(({ type }) => type)).not.toContain('log_damaged')
  })
})
