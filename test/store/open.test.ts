import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../daemon/store/open.ts'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { DatabaseRefused } from '../../daemon/store/store.ts'
import { tempDir } from '../support/temp-dir.ts'
import { event, events, session } from '../support/records.ts'
import { reopen, tempStore } from './temp-store.ts'

test('every file of the store has mode 600, whatever the umask and earlier modes', () => {
  const before = process.umask(0)
  try {
    const { store, file } = tempStore({ ballastBytes: 64 * 1024 })
    const directory = join(file, '..')
    expect(modes(directory)).toEqual({
      'muxd.db': '600',
      'muxd.db-wal': '600',
      'muxd.db-shm': '600',
      ballast: '600',
    })
    store.close()
    chmodSync(file, 0o644)
    reopen(file, { ballastBytes: 64 * 1024 })
    expect(modes(directory)).toMatchObject({ 'muxd.db': '600', 'muxd.db-wal': '600', 'muxd.db-shm': '600' })
  } finally {
    process.umask(before)
  }
})

test('reopening a database keeps its epoch and everything stored', () => {
  const { store, file } = tempStore()
  store.sessions.add(session('s_1'))
  store.events.append('s_1', events(1, 3))
  store.close()
  const again = reopen(file)
  expect(again.epoch).toBe(store.epoch)
  expect(again.epoch).not.toBe(tempStore().store.epoch)
  expect(again.sessions.list({ limit: 9 })).toEqual([session('s_1')])
  expect(again.events.read('s_1', 0, 10, 1e6)).toEqual(events(1, 3).map(row => row.text))
})

test('a database with a newer schema is rejected with both versions, and stays unchanged', () => {
  const { store, file } = tempStore()
  store.close()
  withRaw(file, db => db.pragma('user_version = 99'))
  const bytes = readFileSync(file)
  const error = refusal(file)
  expect(error.reason).toBe('newer')
  expect(error.message).toMatch(/schema version 99.*versions up to \d+: update muxd/)
  expect(readFileSync(file).equals(bytes)).toBe(true)
})

test('a file that is not a database is rejected, and its content and mode stay unchanged', () => {
  const file = join(tempDir(), 'muxd.db')
  writeFileSync(file, 'dear diary, '.repeat(1_000), { mode: 0o644 })
  expect(refusal(file)).toMatchObject({ reason: 'not_muxd', file })
  expect(readFileSync(file, 'utf8')).toBe('dear diary, '.repeat(1_000))
  expect(statSync(file).mode & 0o777).toBe(0o644)
})

test('a database of another program is rejected and stays unchanged', () => {
  const file = join(tempDir(), 'muxd.db')
  withRaw(file, db => db.exec('CREATE TABLE bookmarks (url TEXT)'))
  const bytes = readFileSync(file)
  expect(refusal(file)).toMatchObject({ reason: 'not_muxd', message: expect.stringContaining('another program') })
  expect(readFileSync(file).equals(bytes)).toBe(true)
  expect(readdirSync(join(file, '..'))).toEqual(['muxd.db'])
})

test('an empty file, as a crash during the first start leaves it, becomes a database', () => {
  const file = join(tempDir(), 'muxd.db')
  writeFileSync(file, '')
  expect(reopen(file).epoch).not.toBe('')
})

test('a truncated database is rejected as corrupt and not replaced', () => {
  const { store, file } = tempStore()
  store.sessions.add(session('s_1'))
  store.events.append('s_1', events(1, 500, { delta: 'x'.repeat(200) }))
  store.close()
  truncateSync(file, 16 * 1024)
  expect(refusal(file)).toMatchObject({ reason: 'corrupt', message: expect.stringContaining('is damaged') })
  expect(statSync(file).size).toBe(16 * 1024)
})

test('opening reports a damaged page of every table but the events and acts as corrupt', () => {
  const { store, file } = tempStore()
  store.close()
  const pages = new Map<string, number>()
  withRaw(file, db => {
    const tables = db.prepare<[], { name: string; rootpage: number }>(
      "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'",
    )
    for (const { name, rootpage } of tables.all()) pages.set(name, rootpage)
  })
  const intact = readFileSync(file)
  const found = [...pages].map(([name, page]) => {
    writeFileSync(file, Buffer.from(intact).fill(0xff, (page - 1) * 4096, (page - 1) * 4096 + 8))
    try {
      openStore(file, { ballastBytes: 0 }).close()
      return [name, 'opened']
    } catch (error) {
      return [name, (error as DatabaseRefused).reason]
    }
  })
  const expected = [...pages.keys()].map(name => [name, name === 'events' || name === 'acts' ? 'opened' : 'corrupt'])
  expect(found).toEqual(expected)
})

test('opening in a missing directory fails with ENOENT and the path', () => {
  expect(() => openStore(join(tempDir(), 'nowhere', 'muxd.db'))).toThrow(/ENOENT.*nowhere/)
})

test('sizeBytes includes the write-ahead log, and a second close has no effect', () => {
  const { store, file } = tempStore()
  store.sessions.add(session('s_1'))
  const before = store.sizeBytes()
  store.events.append('s_1', [event(1, { delta: 'x'.repeat(100_000) })])
  expect(store.sizeBytes()).toBeGreaterThanOrEqual(before + 100_000)
  expect(store.sizeBytes()).toBe(statSync(file).size + statSync(`${file}-wal`).size)
  store.close()
  store.close()
  expect(readdirSync(join(file, '..'))).toEqual(['muxd.db'])
})

test('opening, rejecting and closing databases leaks no file descriptor', () => {
  const file = join(tempDir(), 'muxd.db')
  const foreign = join(tempDir(), 'muxd.db')
  writeFileSync(foreign, 'no database')
  openStore(file, { ballastBytes: 0 }).close()
  const before = descriptors()
  for (let round = 0; round < 5; round++) {
    openStore(file, { ballastBytes: 0 }).close()
    refusal(foreign)
  }
  expect(descriptors()).toEqual(before)
})

function modes(directory: string): Record<string, string> {
  const mode = (name: string) => (statSync(join(directory, name)).mode & 0o777).toString(8)
  return Object.fromEntries(readdirSync(directory).map(name => [name, mode(name)]))
}

function refusal(file: string): DatabaseRefused {
  try {
    openStore(file, { ballastBytes: 0 }).close()
  } catch (error) {
    if (error instanceof DatabaseRefused) return error
    throw error
  }
  throw new Error('it was opened')
}

function withRaw(file: string, work: (db: ReturnType<typeof openSqlite>) => unknown): void {
  const db = openSqlite(file)
  work(db)
  db.close()
}

/** Returns the number of open descriptors of this process, with the one that the listing itself opens. */
function descriptors(): number {
  return readdirSync('/dev/fd').length
}
