import { describe, expect, test } from 'vitest'
import { createRingLog, latestOnly } from '../../daemon/topics/logs/ring-log.ts'

const ring = (bounds: { maxRecords?: number; maxBytes?: number } = {}) =>
  createRingLog({ epoch: 'i', maxRecords: Infinity, maxBytes: Infinity, maxEventBytes: 1_000, ...bounds })
const seqs = (texts: string[]) => texts.map(text => (JSON.parse(text) as { seq: number }).seq)

describe('a ring log', () => {
  test('is empty at first', () => {
    const log = ring()
    expect([log.first(), log.head(), log.read(0, 10, 10)]).toEqual([1, 0, []])
  })

  test('numbers its records and returns pages limited by count and bytes', () => {
    const log = ring()
    for (let count = 1; count <= 5; count++) expect(log.append({ type: 'x' }, 50 + count)).toBe(count)
    expect(log.read(0, 1, Infinity)).toEqual(['{"seq":1,"time":51,"type":"x"}'])
    expect(seqs(log.read(1, 3, Infinity))).toEqual([2, 3, 4])
    expect(seqs(log.read(1, Infinity, 0))).toEqual([2])
    expect(seqs(log.read(1, Infinity, 30))).toEqual([2, 3])
    expect(seqs(log.read(5, Infinity, Infinity))).toEqual([])
  })

  test('limits a page by bytes, not characters', () => {
    const log = ring()
    for (let count = 0; count < 3; count++) log.append({ text: '漢'.repeat(100) }, 1)
    expect(seqs(log.read(0, Infinity, 300))).toEqual([1])
    expect(seqs(log.read(0, Infinity, 400))).toEqual([1, 2])
  })

  test('drops the oldest records beyond maxRecords', () => {
    const log = ring({ maxRecords: 100 })
    for (let count = 1; count <= 1_000; count++) {
      log.append({}, 1)
      expect(log.first()).toBe(Math.max(1, count - 99))
    }
    expect(seqs(log.read(900, Infinity, Infinity))).toEqual(Array.from({ length: 100 }, (_, index) => 901 + index))
    expect(log.whole(900)).toBeUndefined()
    expect(log.whole(901)).toContain('"seq":901')
    expect(log.whole(1_001)).toBeUndefined()
  })

  test('drops the oldest records beyond maxBytes, but never the newest', () => {
    const log = ring({ maxBytes: 100 })
    log.append({ text: 'x'.repeat(20) }, 1)
    log.append({ text: 'x'.repeat(20) }, 1)
    expect(log.first()).toBe(1)
    log.append({ text: 'x'.repeat(500) }, 1)
    expect([log.first(), log.head()]).toEqual([3, 3])
  })

  test('keeps only the last record with the bounds latestOnly', () => {
    const log = ring(latestOnly)
    log.append({ state: 'a' }, 1)
    log.append({ state: 'b' }, 2)
    expect([log.first(), log.head(), log.read(1, 9, 9)]).toEqual([2, 2, ['{"seq":2,"time":2,"state":"b"}']])
  })

  test('returns a large record cut from read() and complete from whole()', () => {
    const log = ring()
    log.append({ text: 'x'.repeat(5_000) }, 1)
    expect(log.read(0, 1, 1)[0]!.length).toBeLessThan(1_000)
    expect(log.whole(1)).toContain('x'.repeat(5_000))
  })
})
