import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { processFiles } from '../../daemon/holder/process-files.ts'
import { openRawLog } from '../../daemon/holder/raw-log.ts'
import { createRawLog, type RawLogWriter } from '../../daemon/holder/raw-log-writer.ts'
import { openDescriptors } from './following.ts'

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

  it('gives back from any offset what was appended, as soon as it was', () => {
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

  it('gives away buffers that later reads do not change', () => {
    append('a'.repeat(10_000) + 'b'.repeat(10_000), 1_001)
    const log = openRawLog(dir, 'p')
    const first = log.read(0, 10_000)
    log.read(10_000, 10_000)
    expect(first.toString()).toBe('a'.repeat(10_000))
    log.close()
  })

  it('knows of every byte when it arrived, and of the process when it was started', () => {
    append('aa', 1_005)
    append('b', 1_005)
    append('cc', 1_007)
    const log = openRawLog(dir, 'p')
    log.read(0, 100)
    expect([-1, 0, 1, 2, 3, 4].map(offset => log.timeAt(offset))).toEqual([1_000, 1_005, 1_005, 1_005, 1_007, 1_007])
    log.close()
  })

  it('keeps one time for all that arrives within a millisecond', () => {
    for (let index = 0; index < 100; index++) append('x', 1_001 + Math.floor(index / 10))
    expect(statSync(join(dir, 'p.times')).size).toBe(16 * 11)
  })

  it('gives the same times to a reader that follows, one that comes later and one that jumps about', () => {
    const following = openRawLog(dir, 'p')
    const seen: number[] = []
    const expected: number[] = []
    for (let index = 0; index < 3_000; index++) {
      const text = 'x'.repeat(1 + (index % 3))
      // Clocks are set back sometimes.
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

  it('is for the user alone and never overwrites another', () => {
    expect(['p.raw', 'p.times'].map(name => statSync(join(dir, name)).mode & 0o777)).toEqual([0o600, 0o600])
    expect(() => createRawLog(processFiles(dir, 'p'), 0, hooks)).toThrow('EEXIST')
    writeFileSync(join(dir, 'q.times'), '')
    expect(() => createRawLog(processFiles(dir, 'q'), 0, hooks)).toThrow('EEXIST')
    expect(readdirSync(dir).sort()).toEqual(['p.raw', 'p.times', 'q.times'])
  })

  it('cannot be opened when it does not exist, wholly or in part', () => {
    expect(() => openRawLog(dir, 'missing')).toThrow('ENOENT')
    rmSync(join(dir, 'p.times'))
    expect(() => openRawLog(dir, 'p')).toThrow('ENOENT')
    expect(openDescriptors(process.pid, dir)).toHaveLength(2)
  })

  it('gives the end of stderr from the start of a character', () => {
    const log = openRawLog(dir, 'p')
    writeFileSync(join(dir, 'p.err'), 'first\nżółw 🐢')
    expect(log.stderrTail(1_000)).toBe('first\nżółw 🐢')
    expect(log.stderrTail(5)).toBe(' 🐢')
    expect(log.stderrTail(3)).toBe('')
    log.close()
  })
})
