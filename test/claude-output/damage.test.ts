import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { OutputLine } from '../../daemon/agents/agent.ts'
import { claude } from '../../daemon/agents/claude/agent.ts'
import { createOutputReader } from '../../daemon/pty-host/output.ts'
import { processFiles } from '../../daemon/pty-host/process-files.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import { createRawLog } from '../../daemon/pty-host/raw-log-writer.ts'
import { createTempDir } from '../support/temp-dir.ts'
import { readRecording, recordedNonce } from './support/replay.ts'

const noHooks = { onStalled() {}, onRecovered() {} }

/** Writes a recording as a pty-host does, in chunks of about `chunkBytes`, a millisecond apart. */
function record(dir: string, bytes: Buffer, chunkBytes: number) {
  const writer = createRawLog(processFiles(dir, 'p'), 1_000, noHooks)
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    vi.setSystemTime(2_000 + turn)
    const length = 1 + ((chunkBytes * (1 + (turn % 7))) >> 2)
    writer.append(bytes.subarray(start, start + length))
    start += length
  }
  writer.close()
}

function readAll(dir: string, writtenBytes: number) {
  const rawLog = openRawLog(dir, 'p', writtenBytes)
  const reader = createOutputReader(rawLog, recordedNonce, claude)
  const lines: OutputLine[] = []
  let status: number | null | undefined
  for (let output = reader.read(); output; output = reader.read()) {
    lines.push(...output.lines)
    status = output.exit?.status
  }
  lines.push(...reader.rest())
  rawLog.close()
  return { lines, status }
}

type Reading = ReturnType<typeof readAll>
const isDamaged = (line: OutputLine) => 'damaged' in line

/** Checks that each line equals the true one, time included, and that damage is reported where any is missing. */
function neverSilent({ lines, status }: Reading, truth: Reading): void {
  let next = 0
  let told = false
  for (const line of lines) {
    if (isDamaged(line)) {
      told = true
      continue
    }
    const found = truth.lines.findIndex(({ offset }, index) => index >= next && offset === line.offset)
    expect(truth.lines[found], `the line that ends at ${line.offset}`).toEqual(line)
    if (found > next) expect(told, `lines ${next} to ${found} are missing and nothing is told`).toBe(true)
    told = false
    // Lines with the same offset (text beside a frame) come one after the other.
    next = found + 1
  }
  if (next < truth.lines.length) expect(told, 'the last lines are missing and nothing is told').toBe(true)
  if (status !== truth.status) expect(lines.at(-1)).toHaveProperty('damaged')
  if (typeof status === 'number') expect(status).toBe(truth.status)
}

const names = ['bash.partial', 'utf8.partial', 'badjson', 'midError', 'think']

const damage = fc.record({
  name: fc.constantFrom(...names),
  chunkBytes: fc.constantFrom(16, 200, 4_096, 65_536),
  file: fc.constantFrom('raw', 'times'),
  place: fc.noBias(fc.nat({ max: 999_999 })),
  flip: fc.option(fc.integer({ min: 1, max: 255 })),
})

describe('damaged output', () => {
  const { path: dir, remove } = createTempDir()
  beforeEach(() => {
    mkdirSync(dir, { recursive: true })
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
    remove()
  })

  /** Flips a byte of a recorded log, or truncates the log there, and reads it. */
  const readDamaged = (
    { name, chunkBytes, file, place, flip }: typeof damage extends fc.Arbitrary<infer T> ? T : never,
    prepare = () => {},
  ) => {
    for (const old of readdirSync(dir)) rmSync(join(dir, old))
    const bytes = Buffer.concat([readRecording(name), Buffer.from(`\x1e${recordedNonce} 3\n`)])
    record(dir, bytes, chunkBytes)
    prepare()
    const truth = readAll(dir, bytes.length)
    expect(truth.lines.filter(isDamaged)).toEqual([])
    const path = join(dir, `p.${file}`)
    const at = place % statSync(path).size
    const content = readFileSync(path)
    if (flip === null) truncateSync(path, at)
    else writeFileSync(path, content.fill(content[at]! ^ flip, at, at + 1))
    return { found: readAll(dir, bytes.length), truth }
  }

  test('is reported wherever a byte is flipped or the log is truncated, and never read as other output', () => {
    fc.assert(
      fc.property(damage, options => {
        const { found, truth } = readDamaged(options)
        neverSilent(found, truth)
      }),
      { numRuns: 400 },
    )
  })

  test('is read as other output without checksums, which the check of this test detects', () => {
    // The format of version 0.1: one entry with an offset and a time, without a checksum.
    const unchecked = () => {
      const entry = Buffer.alloc(16)
      entry.writeDoubleLE(1_000, 8)
      writeFileSync(join(dir, 'p.times'), entry)
    }
    const flipped = fc.property(damage, options => {
      const { found, truth } = readDamaged({ ...options, file: 'raw', flip: options.flip ?? 1 }, unchecked)
      neverSilent(found, truth)
    })
    const { failed, errorInstance } = fc.check(flipped, { numRuns: 200, endOnFailure: true })
    expect(failed).toBe(true)
    expect((errorInstance as Error).message).toMatch(/the line that ends at/)
  })

  const frames = (texts: string[]) => texts.map(text => JSON.stringify({ type: 'x', text }))
  const linesOf = (chunks: string[], damagedChunk: number) => {
    const writer = createRawLog(processFiles(dir, 'p'), 1_000, noHooks)
    for (const chunk of chunks) writer.append(Buffer.from(chunk))
    writer.close()
    const bytes = readFileSync(join(dir, 'p.raw'))
    const start = Buffer.byteLength(chunks.slice(0, damagedChunk).join(''))
    writeFileSync(join(dir, 'p.raw'), bytes.fill('#', start, start + 1))
    return readAll(dir, 0)
  }
  const shown = ({ lines }: Reading) =>
    lines.map(line => ('damaged' in line ? line.damaged.bytes : 'frame' in line ? line.frame['text'] : line.unparsed))

  test('loses only the lines that contain it', () => {
    const [one, two, three] = frames(['one', 'two', 'three'])
    expect(shown(linesOf([`${one}\n`, `${two}\n`, `${three}\n`], 1))).toEqual(['one', two!.length + 1, 'three'])
    rmSync(dir, { recursive: true })
    mkdirSync(dir)
    const halves = [`${one}\n${two!.slice(0, 5)}`, two!.slice(5, 9), `${two!.slice(9)}\n${three}\n`]
    expect(shown(linesOf(halves, 1))).toEqual(['one', two!.length + 1, 'three'])
  })

  test('does not hide that the process has ended', () => {
    const found = linesOf([...frames(['one']), '\n', `!\x1e${recordedNonce} 7\n`], 2)
    expect(shown(found)).toEqual(['one', 9])
    expect(found.status).toBeNull()
  })
})
