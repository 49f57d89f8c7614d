import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqlite } from '../../daemon/store/sqlite.ts'
import { copyDamaged, makeDatabase, reportOf } from './damage.ts'

const samples = Number(process.env['DAMAGE_SAMPLES'] ?? 40)
const places = <T>(rest: fc.Arbitrary<T>, seed: number) =>
  fc.sample(fc.tuple(fc.noBias(fc.nat({ max: 2 ** 31 })), rest), { numRuns: samples, seed })

const seed = Number(process.env['DAMAGE_SEED'] ?? 20261121)

test.each([
  ['the database, closed in order', true, 'muxd.db'],
  ['the database of a daemon that was killed', false, 'muxd.db'],
  ['the write-ahead log', false, 'muxd.db-wal'],
])('wherever a byte is flipped in %s, everything is as it was or reported', (_title, closed, name) => {
  const { directory, truth } = makeDatabase(closed)
  const reports = new Map<string, number>()
  for (const [place, flip] of places(fc.integer({ min: 1, max: 255 }), seed)) {
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
])('wherever %s is cut, everything is as it was or reported', (_title, closed, name) => {
  const { directory, truth } = makeDatabase(closed)
  const reports = new Set<string>()
  for (const [place] of places(fc.constant(0), seed)) {
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

test('the check finds what the store would not: without their checksums, changed events are served', () => {
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

test('a fault of the check itself would be seen: an undamaged database is as it was', () => {
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
