import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { event } from '../support/records.ts'
import { testSeed } from '../support/test-seed.ts'
import { copyDamaged, makeDatabase, reportOf } from './damage.ts'
import { reopen } from './temp-store.ts'

const samples = Number(process.env['DAMAGE_SAMPLES'] ?? 25)
const places = <T>(rest: fc.Arbitrary<T>) =>
  fc.sample(fc.tuple(fc.noBias(fc.nat({ max: 2 ** 31 })), rest), {
    numRuns: samples,
    seed: testSeed(20261121),
  })

test.each([
  ['the database, closed in order', true, 'muxd.db'],
  ['the database of a daemon that was killed', false, 'muxd.db'],
  ['the write-ahead log', false, 'muxd.db-wal'],
])('one flipped byte in %s is reported or leaves all content unchanged', (_title, closed, name) => {
  const { directory, truth } = makeDatabase(closed)
  const reports = new Map<string, number>()
  for (const [place, flip] of places(fc.integer({ min: 1, max: 255 }))) {
    const at = place % statSync(join(directory, name)).size
    const damaged = copyDamaged(directory, name, bytes => bytes.fill(bytes[at]! ^ flip, at, at + 1))
    try {
      const report = reportOf(damaged, truth)
      reports.set(report, (reports.get(report) ?? 0) + 1)
    } catch (error) {
      throw new Error(`byte ${at} ^ ${flip} of ${name}: ${(error as Error).message}`, { cause: error })
    }
  }
  if (process.env['DAMAGE_SAMPLES']) console.log(reports)
  expect([...reports.keys()]).toContain(name === 'muxd.db' ? 'damaged' : 'new epoch')
})

test.each([
  ['the database, closed in order', true, 'muxd.db'],
  ['the database of a daemon that was killed', false, 'muxd.db'],
  ['the write-ahead log', false, 'muxd.db-wal'],
])('%s, truncated anywhere, is reported or keeps all content unchanged', (_title, closed, name) => {
  const { directory, truth } = makeDatabase(closed)
  const reports = new Set<string>()
  for (const [place] of places(fc.constant(0))) {
    const at = place % statSync(join(directory, name)).size
    const damaged = copyDamaged(directory, name, bytes => bytes.subarray(0, at))
    try {
      reports.add(reportOf(damaged, truth))
    } catch (error) {
      throw new Error(`${name} cut at ${at}: ${(error as Error).message}`, { cause: error })
    }
  }
  expect([...reports].filter(report => report !== 'as it was')).not.toEqual([])
})

test('the damage check fails for a changed event that has no checksum', () => {
  const { directory, truth } = makeDatabase(true)
  expect(
    reportOf(
      copyDamaged(directory, 'muxd.db', bytes => bytes),
      truth,
    ),
  ).toBe('as it was')
  const changed = copyDamaged(directory, 'muxd.db', bytes => bytes)
  const db = openSqlite(join(changed, 'muxd.db'))
  db.exec(`UPDATE events SET text = replace(text, 'aaaa', 'aaba') WHERE place % 4294967296 = 40`)
  db.close()
  expect(
    reportOf(
      copyDamaged(changed, 'muxd.db', bytes => bytes),
      truth,
    ),
  ).toBe('damaged')
  const unchecked = openSqlite(join(changed, 'muxd.db'))
  unchecked.exec('UPDATE events SET crc = NULL')
  unchecked.close()
  expect(() => reportOf(changed, truth)).toThrow(/s_1: event 40 is/)
})

test('lost newest events become log_damaged, keep their seq, and start exactly one new epoch', () => {
  const { directory, truth } = makeDatabase(true)
  const file = join(directory, 'muxd.db')
  const db = openSqlite(file)
  db.exec(`DELETE FROM events WHERE place < (SELECT min(place) FROM events) + 100 AND place % 4294967296 > 60`)
  db.close()
  const texts = truth.events.get('s_1')!
  const store = reopen(file)
  expect(store.epoch).not.toBe(truth.epoch)
  expect(store.events.bounds('s_1')).toEqual({ first: 1, head: texts.length })
  store.close()
  const again = reopen(file)
  expect(again.epoch).toBe(store.epoch)
  const next = event(texts.length + 1)
  again.events.append('s_1', [next])
  const types = again.events.rows('s_1', 58, 100).map(({ type }) => type)
  expect(types).toEqual([
    'assistant_text',
    'assistant_text',
    ...texts.slice(60).map(() => 'log_damaged'),
    'assistant_text',
  ])
  expect(again.events.read('s_1', texts.length, 10, 1_000)).toEqual([next.text])
})

test('the damage check reports an undamaged database as unchanged', () => {
  for (const closed of [true, false]) {
    const { directory, truth } = makeDatabase(closed)
    expect(
      reportOf(
        copyDamaged(directory, 'muxd.db', bytes => bytes),
        truth,
      ),
    ).toBe('as it was')
  }
})
