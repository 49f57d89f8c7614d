import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { processFiles } from '../../daemon/pty-host/process-files.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import { createRawLog, type RawLogWriter } from '../../daemon/pty-host/raw-log-writer.ts'
import { openDescriptors } from './following.ts'

function writeAt(path: string, position: number, text: string) {
  const fd = openSync(path, 'r+')
  writeSync(fd, text, position)
  closeSync(fd)
}

describe('a raw log', () => {
  let dir: string
  let writer: RawLogWriter
  const startedAt = 1_000
  const hooks = { onStalled: vi.fn<(error: unknown) => void>(), onRecovered: vi.fn<() => void>() }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'raw-log-'))
    vi.useFakeTimers({ toFake: ['Date'], now: startedAt })
    writer = createRawLog(processFiles(dir, 'p'), startedAt, hooks)
  })
  afterEach(() => {
    writer.close()
    vi.useRealTimers()
    expect(openDescriptors(process.pid, dir)).toEqual([])
    rmSync(dir, { recursive: true })
  })

  const append = (text: string, at: number) => {
    vi.setSystemTime(at)
    expect(writer.append(Buffer.from(text))).toBe(true)
  }

  it('returns appended bytes from any offset at once', () => {
    const log = openRawLog(dir, 'p')
    expect(log.read(0, 100)).toHaveLength(0)
    append('hello ', 1_001)
    append('world', 1_002)
    expect([writer.sizeBytes, log.sizeBytes()]).toEqual([11, 11])
    expect(log.read(0, 100).toString()).toBe('hello world')
    expect(log.read(3, 4).toString()).toBe('lo w')
    expect(log.read(11, 100)).toHaveLength(0)
    expect(log.read(500, 100)).toHaveLength(0)
    log.close()
  })

  it('returns buffers that later reads do not change', () => {
    append('a'.repeat(10_000) + 'b'.repeat(10_000), 1_001)
    const log = openRawLog(dir, 'p')
    const first = log.read(0, 10_000)
    log.read(10_000, 10_000)
    expect(first.toString()).toBe('a'.repeat(10_000))
    log.close()
  })

  it('has the arrival time of every byte, and the start time of the process', () => {
    append('aa', 1_005)
    append('b', 1_005)
    append('cc', 1_007)
    const log = openRawLog(dir, 'p')
    log.read(0, 100)
    expect([-1, 0, 1, 2, 3, 4].map(offset => log.timeAt(offset))).toEqual([1_000, 1_005, 1_005, 1_005, 1_007, 1_007])
    log.close()
  })

  it('is read beyond truncated or overwritten bytes, which are reported as damage at their offset', () => {
    for (let index = 0; index < 1_000; index++) append(`${index % 10}`.repeat(10), 2_000 + index)
    truncateSync(join(dir, 'p.raw'), 9_995)
    append('after', 5_000)
    writeAt(join(dir, 'p.raw'), 42, 'X')
    const log = openRawLog(dir, 'p')
    expect(log.read(0, 100_000).toString()).toBe('0'.repeat(10) + '1'.repeat(10) + '2'.repeat(10) + '3'.repeat(10))
    expect([log.read(40, 100), log.damageAt(39)]).toEqual([Buffer.alloc(0), undefined])
    expect(log.damageAt(40)).toMatchObject({ bytes: 10, tail: Buffer.from('44X4444444') })
    expect(log.read(50, 100_000)).toHaveLength(9_940)
    expect(log.damageAt(9_990)).toMatchObject({ bytes: 10 })
    expect(log.read(10_000, 100).toString()).toBe('after')
    expect([log.timeAt(9_999), log.timeAt(10_000)]).toEqual([2_999, 5_000])
    log.close()
  })

  it('reports missing bytes only once it is known that no more can come', () => {
    append('whole', 2_000)
    append('incomplete', 2_001)
    truncateSync(join(dir, 'p.raw'), 9)
    const log = openRawLog(dir, 'p')
    expect([log.read(0, 100).toString(), log.read(5, 100), log.damageAt(5)]).toEqual([
      'whole',
      Buffer.alloc(0),
      undefined,
    ])
    log.finish()
    expect(log.damageAt(5)).toMatchObject({ bytes: 10 })
    expect(log.damageAt(15)).toBeUndefined()
    log.close()
    for (const name of ['p.raw', 'p.times']) truncateSync(join(dir, name), 0)
    const known = openRawLog(dir, 'p', 15)
    expect(known.damageAt(0)).toMatchObject({ bytes: 15 })
    known.close()
    rmSync(join(dir, 'p.raw'))
    const gone = openRawLog(dir, 'p', 15)
    expect([gone.read(0, 100), gone.damageAt(3)]).toMatchObject([Buffer.alloc(0), { bytes: 12 }])
    gone.close()
  })

  it('is read beyond damaged entries, whose bytes are not trusted', () => {
    for (let index = 0; index < 1_000; index++) append(`${index % 10}`.repeat(10), 2_000 + index)
    // Entry 0 is the header.
    for (const entry of [0, 1, 500, 501, 1_000]) writeAt(join(dir, 'p.times'), entry * 24 + 3, 'XX')
    const log = openRawLog(dir, 'p')
    for (const [start, bytes] of [
      [0, 10],
      [4_990, 20],
      [9_990, 10],
    ] as const) {
      expect(log.read(start, 100)).toHaveLength(0)
      expect(log.damageAt(start)).toMatchObject({ bytes })
    }
    expect([log.read(10, 100_000).length, log.read(5_010, 100_000).length]).toEqual([4_980, 4_980])
    expect([-1, 12, 5_010].map(offset => log.timeAt(offset))).toEqual([0, 2_001, 2_501])
    log.close()
  })

  it('of version 0.1 is read without checksums', () => {
    const entries = [
      [0, 900],
      [0, 1_000],
      [6, 1_500],
    ].map(([offset, time]) => {
      const entry = Buffer.alloc(16)
      entry.writeDoubleLE(offset!, 0)
      entry.writeDoubleLE(time!, 8)
      return entry
    })
    writeFileSync(join(dir, 'old.raw'), 'hello world')
    writeFileSync(join(dir, 'old.times'), Buffer.concat(entries))
    const log = openRawLog(dir, 'old', 15)
    expect(log.read(0, 100).toString()).toBe('hello world')
    expect([0, 5, 6, 10].map(offset => log.timeAt(offset))).toEqual([1_000, 1_000, 1_500, 1_500])
    expect([log.damageAt(3), log.damageAt(11)]).toMatchObject([undefined, { bytes: 4 }])
    log.close()
  })

  it('has the same times for a following reader, a later reader and one that jumps', () => {
    const following = openRawLog(dir, 'p')
    const seen: number[] = []
    const expected: number[] = []
    for (let index = 0; index < 3_000; index++) {
      const text = 'x'.repeat(1 + (index % 3))
      // The clock is sometimes set back.
      const at = 2_000 + index * 2 - (index > 2_000 ? 1_500 : 0)
      append(text, at)
      for (let byte = 0; byte < text.length; byte++) expected.push(at)
      if (index % 7 !== 0) continue
      const chunk = following.read(seen.length, 1_000)
      for (const _ of chunk) seen.push(following.timeAt(seen.length))
    }
    for (const _ of following.read(seen.length, 100_000)) seen.push(following.timeAt(seen.length))
    following.close()
    expect(seen).toEqual(expected)

    const later = openRawLog(dir, 'p')
    expect(expected.map((_, offset) => later.timeAt(offset))).toEqual(expected)
    const jumps = Array.from({ length: 2_000 }, (_, index) => (index * 7_919) % expected.length)
    expect(jumps.map(offset => later.timeAt(offset))).toEqual(jumps.map(offset => expected[offset]))
    expect(later.timeAt(-1)).toBe(startedAt)
    later.close()
  })

  it('has access for the user only and never overwrites another', () => {
    expect(['p.raw', 'p.times'].map(name => statSync(join(dir, name)).mode & 0o777)).toEqual([0o600, 0o600])
    expect(() => createRawLog(processFiles(dir, 'p'), 0, hooks)).toThrow('EEXIST')
    writeFileSync(join(dir, 'q.times'), '')
    expect(() => createRawLog(processFiles(dir, 'q'), 0, hooks)).toThrow('EEXIST')
    expect(readdirSync(dir).sort()).toEqual(['p.raw', 'p.times', 'q.times'])
  })

  it('cannot be opened when it does not exist', () => {
    expect(() => openRawLog(dir, 'missing')).toThrow('ENOENT')
    expect(openDescriptors(process.pid, dir)).toHaveLength(2)
  })

  it('without its .times file is damaged as a whole', () => {
    append('hello', 2_000)
    rmSync(join(dir, 'p.times'))
    const log = openRawLog(dir, 'p')
    expect([log.read(0, 100), log.damageAt(0)]).toMatchObject([Buffer.alloc(0), { bytes: 5 }])
    log.close()
  })

  it('returns the end of stderr from a character boundary', () => {
    const log = openRawLog(dir, 'p')
    expect(log.stderrTail(5)).toBe('')
    writeFileSync(join(dir, 'p.err'), 'first\nżółw 🐢')
    expect(log.stderrTail(1_000)).toBe('first\nżółw 🐢')
    expect(log.stderrTail(5)).toBe(' 🐢')
    expect(log.stderrTail(3)).toBe('')
    log.close()
  })
})
