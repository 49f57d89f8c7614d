import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createJournal } from '../../../daemon/store/journal/journal.ts'
import { openSqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import { DatabaseRefused, type Store, UnknownRecord } from '../../../daemon/store/store.ts'
import { acts, entry, processOf, session } from '../../support/records.ts'
import { reopen, tempStore } from '../temp-store.ts'

test('acts are read in order, as they were appended, also after the store was opened again', () => {
  const { store, file } = liveSession()
  const rows = [...acts(1, 2), ...acts(3, 4, { process: 'p_1', offset: 70 })]
  store.acts.append('s_1', rows.slice(0, 1))
  store.acts.append('s_1', rows.slice(1))
  store.close()
  const again = reopen(file)
  expect([...again.acts.read('s_1', 0)]).toEqual(rows)
  expect([...again.acts.read('s_1', 2)]).toEqual(rows.slice(2))
  expect([...again.acts.read('s_1', 4)]).toEqual([])
  expect(again.acts.bounds('s_1')).toEqual({ first: 1, newest: 4 })
})

test('an act must follow the newest one of its session', () => {
  const { store } = liveSession()
  store.acts.append('s_1', acts(1, 2))
  expect(() => store.acts.append('s_1', acts(4, 4))).toThrow('session s_1: act 4 where 3 was due')
  expect(() => store.acts.append('s_1', acts(2, 2))).toThrow('session s_1: act 2 where 3 was due')
  expect(() => store.acts.append('s_gone', acts(1, 1))).toThrow(UnknownRecord)
  expect(() => [...store.acts.read('s_gone', 0)]).toThrow(UnknownRecord)
  expect(store.acts.bounds('s_gone')).toEqual({ first: 1, newest: 0 })
})

test('acts of a session without a live process are counted and not kept', () => {
  const { store } = liveSession()
  store.processes.save(processOf('s_1', 'p_1', { endedAt: 5 }))
  store.acts.append('s_1', acts(1, 3))
  expect(store.acts.bounds('s_1')).toEqual({ first: 4, newest: 3 })
  store.processes.save(processOf('s_1', 'p_2'))
  store.acts.append('s_1', acts(4, 5))
  expect(store.acts.bounds('s_1')).toEqual({ first: 4, newest: 5 })
  expect([...store.acts.read('s_1', 3)]).toEqual(acts(4, 5))
})

test('the end of the process forgets the acts of its session, whose numbers go on', () => {
  const { store, file } = liveSession('s_2')
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  for (const id of ['s_1', 's_2']) journal.append(entry(id, [], { acts: acts(1, 3) }))
  journal.append(entry('s_1', [], { acts: acts(4, 4), process: processOf('s_1', 'p_1', { endedAt: 5 }) }))
  journal.flush()
  expect(store.acts.bounds('s_1')).toEqual({ first: 5, newest: 4 })
  expect(store.acts.bounds('s_2')).toEqual({ first: 1, newest: 3 })
  expect(storedActs(file)).toBe(3)
})

test('the deletion of a session removes its acts', () => {
  const { store, file } = liveSession('s_2')
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  for (const id of ['s_1', 's_2']) journal.append(entry(id, [], { acts: acts(1, 3) }))
  journal.append(entry('s_1', [], { deleted: true, durable: true }))
  journal.flush()
  expect(store.acts.bounds('s_1')).toEqual({ first: 1, newest: 0 })
  expect(store.deletions.removeEvents()).toBe(false)
  expect([...store.acts.read('s_2', 0)]).toEqual(acts(1, 3))
  expect(storedActs(file)).toBe(3)
})

test.each([
  ['a changed text', "UPDATE acts SET act = replace(act, 'used', 'uses') WHERE key % 4294967296 = 2", 'has changed'],
  ['a changed time', 'UPDATE acts SET time = 21 WHERE key % 4294967296 = 2', 'has changed'],
  ['another place', 'UPDATE acts SET offset = 71 WHERE key % 4294967296 = 2', 'has changed'],
  ['a row that is gone', 'DELETE FROM acts WHERE key % 4294967296 = 2', 'is gone'],
  ['the newest row gone', 'DELETE FROM acts WHERE key % 4294967296 >= 2', 'is gone'],
])('%s is reported as damage of its session alone', (_title, sql, reason) => {
  const { store, file } = liveSession('s_2')
  for (const id of ['s_1', 's_2']) store.acts.append(id, acts(1, 3, { process: 'p_1', offset: 70 }))
  store.close()
  const db = openSqlite(file)
  db.exec(`${sql} AND key < 2 * 4294967296`)
  db.close()
  const again = reopen(file)
  const read: number[] = []
  let error: unknown
  try {
    for (const { n } of again.acts.read('s_1', 0)) read.push(n)
  } catch (thrown) {
    error = thrown
  }
  expect(read).toEqual([1])
  expect(error).toBeInstanceOf(DatabaseRefused)
  expect(error).toMatchObject({ reason: 'corrupt', message: expect.stringContaining(`act 2 of session s_1 ${reason}`) })
  expect([...again.acts.read('s_2', 0)]).toEqual(acts(1, 3, { process: 'p_1', offset: 70 }))
})

test('a damaged page of acts prevents neither the start nor the end of the process', () => {
  const { store, file } = liveSession()
  store.acts.append('s_1', acts(1, 3))
  store.close()
  const db = openSqlite(file)
  const page = db.value<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'acts'").get()!
  db.close()
  writeFileSync(file, readFileSync(file).fill(0xff, (page - 1) * 4096, (page - 1) * 4096 + 8))
  const again = reopen(file)
  expect(() => [...again.acts.read('s_1', 0)]).toThrow(DatabaseRefused)
  const journal = createJournal(again, { sessionEvents: () => {}, record: () => {} })
  journal.append(entry('s_1', [], { process: processOf('s_1', 'p_1', { endedAt: 5 }) }))
  journal.append(entry('s_1', [], { deleted: true, durable: true }))
  journal.flush()
  expect(again.sessions.get('s_1')).toBe(undefined)
})

test.each([
  ['many', 10_000, 10],
  ['large', 9, 2 * 1024 * 1024],
])('acts that a snapshot includes are forgotten once they are %s', (_title, kept, size) => {
  const { store } = liveSession()
  const padding = 'x'.repeat(size - 10)
  const sized = (from: number, to: number) => acts(from, to).map(row => ({ ...row, act: JSON.stringify(padding) }))
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  const snapshotAt = (n: number) => ({
    snapshot: { process: 'p_1', version: '1', seq: 0, acts: n, offset: 0, memory: Buffer.from('m') },
  })
  const few = kept - 2
  journal.append(entry('s_1', [], { acts: sized(1, few), ...snapshotAt(few) }))
  journal.flush()
  expect(store.acts.bounds('s_1')).toEqual({ first: 1, newest: few })
  journal.append(entry('s_1', [], { acts: sized(few + 1, kept + 2), ...snapshotAt(kept + 1) }))
  journal.flush()
  expect(store.acts.bounds('s_1')).toEqual({ first: kept + 2, newest: kept + 2 })
  expect(store.snapshots.get('p_1')).toMatchObject({ version: '1', acts: kept + 1 })
})

/** Creates a store with the session `s_1` and `more`, each with a live process. */
function liveSession(...more: string[]): { store: Store; file: string } {
  const { store, file } = tempStore()
  for (const [index, id] of ['s_1', ...more].entries()) {
    store.sessions.add(session(id))
    store.processes.save(processOf(id, `p_${index + 1}`))
  }
  return { store, file }
}

function storedActs(file: string): number | undefined {
  const db = openSqlite(file)
  try {
    return db.value<[], number>('SELECT count(*) FROM acts').get()
  } finally {
    db.close()
  }
}
