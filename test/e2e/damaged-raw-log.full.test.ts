import { cpSync, lstatSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkEntryBytes } from '../../daemon/pty-host/raw-chunks.ts'
import type { Run } from '../../protocol/index.ts'
import { terminalTypes } from '../../protocol/wire.ts'
import { readRecording } from '../claude-output/support/replay.ts'
import { endAllOf, startTestDaemon, tempHome } from '../support/daemon.ts'
import { appendToRawLog, rawLogsOf } from '../support/raw-log.ts'
import type { WireEvent } from '../support/rpc-peer.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { testSeed } from '../support/test-seed.ts'

type Logs = Map<string, WireEvent[]>

/** Creates a home whose daemon was killed during its runs, when their raw logs held untranslated output. */
async function killedHome(): Promise<{ home: string; logs: Logs }> {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const runs: Run[] = []
  for (const prompt of ['sim:hang at=text', 'sim:hang at=tool', 'sim:long words=3000', 'sim:hang at=text']) {
    runs.push(await peer.call<Run>('run.start', { create: { cwd: tempDir() }, prompt }))
  }
  const read = (session: string) => readLog<WireEvent>(params => peer.call('topic.read', params), session)
  await until(async () => {
    for (const { session } of runs) expect((await read(session)).length).toBeGreaterThan(6)
  })
  process.kill(daemon.pid, 'SIGSTOP')
  await endAllOf(daemon)
  for (const [index, path] of rawLogsOf(daemon.home).entries()) {
    const recording = readRecording(['bash.partial', 'utf8.partial', 'think', 'badjson'][index % 4]!)
    // Split anywhere, like the reads of a PTY. Without the result, so that the run is interrupted.
    const end = recording.lastIndexOf('\n', recording.lastIndexOf('"type":"result"')) + 1
    expect(end).toBeGreaterThan(1_000)
    for (let start = 0; start < end; start += 700) {
      appendToRawLog(path, recording.subarray(start, Math.min(end, start + 700)))
    }
  }
  return { home: copyOf(daemon.home), logs: await recoveredLogs(daemon.home) }
}

function copyOf(home: string): string {
  const copy = tempHome()
  const isPlain = (path: string) => lstatSync(path).isFile() || lstatSync(path).isDirectory()
  cpSync(home, copy, { recursive: true, filter: isPlain })
  return copy
}

/** Returns the logs that the next daemon serves from a home. */
async function recoveredLogs(home: string): Promise<Logs> {
  const daemon = await startTestDaemon({ home })
  const peer = await daemon.peer()
  const { runs } = await peer.call<{ runs: Run[] }>('run.list', {})
  const logs: Logs = new Map()
  for (const { run, session, state } of runs) {
    expect(state, run).toBe('interrupted')
    logs.set(session, await readLog<WireEvent>(params => peer.call('topic.read', params), session))
  }
  await daemon.stop()
  return logs
}

/**
 * Checks that the events are the same byte for byte, or the same up to a `log_damaged`, followed by a consistent log.
 */
function expectNeverSilent(found: WireEvent[], truth: WireEvent[]) {
  expectWholeLog(found)
  const damagedAt = found.findIndex(({ type }) => type === 'log_damaged')
  const compared = damagedAt < 0 ? Infinity : damagedAt
  // The time of a run's end depends on when the loss was detected.
  const texts = (events: WireEvent[]) =>
    events
      .slice(0, compared)
      .map(event =>
        JSON.stringify((terminalTypes as readonly string[]).includes(event.type) ? { ...event, time: 0 } : event),
      )
  expect(texts(found)).toEqual(texts(truth))
}

const damage = fc.record({
  file: fc.constantFrom('raw', 'times'),
  place: fc.noBias(fc.nat({ max: 999_999 })),
  flip: fc.option(fc.integer({ min: 1, max: 255 })),
})

function doDamage(path: string, { file, place, flip }: { file: string; place: number; flip: number | null }) {
  const name = `${path}.${file}`
  const at = place % statSync(name).size
  const content = readFileSync(name)
  if (flip === null) truncateSync(name, at)
  else writeFileSync(name, content.fill(content[at]! ^ flip, at, at + 1))
}

/** Converts a `.times` file to the format without checksums: offset and ms since epoch, as doubles. */
function withoutChecksums(chunks: Buffer): Buffer {
  const entries = Array.from({ length: chunks.length / chunkEntryBytes }, (_, index) => {
    const entry = Buffer.alloc(16)
    const at = index * chunkEntryBytes
    // The header holds the start time only.
    entry.writeDoubleLE(index === 0 ? 0 : chunks.readUIntLE(at, 6), 0)
    entry.writeDoubleLE(index === 0 ? chunks.readUIntLE(at + 8, 6) : chunks.readUIntLE(at + 6, 6), 8)
    return entry
  })
  return Buffer.concat(entries)
}

describe('a daemon with damaged raw logs', () => {
  it('translates intact output and reports random byte flips and truncations', {
    timeout: 180_000,
  }, async () => {
    const { home, logs } = await killedHome()
    let told = 0
    const samples = fc.sample(fc.array(damage, { minLength: 4, maxLength: 4 }), {
      numRuns: 8,
      seed: testSeed(20261121),
    })
    for (const damages of samples) {
      const copy = copyOf(home)
      for (const [index, path] of rawLogsOf(copy).entries()) doDamage(path, damages[index]!)
      for (const [session, found] of await recoveredLogs(copy)) {
        expectNeverSilent(found, logs.get(session)!)
        told += found.filter(({ type }) => type === 'log_damaged').length
      }
    }
    expect(told).toBeGreaterThan(24)
  })

  it('misses a changed byte without checksums, which the check detects', async () => {
    const { home, logs } = await killedHome()
    const copy = copyOf(home)
    for (const path of rawLogsOf(copy)) {
      writeFileSync(`${path}.times`, withoutChecksums(readFileSync(`${path}.times`)))
      const content = readFileSync(`${path}.raw`)
      // Changed in the untranslated part. In the rest, the comparison with the stored events finds a change.
      const at = content.lastIndexOf('"type":"assistant"') + '"type":"'.length
      writeFileSync(`${path}.raw`, content.fill('x', at, at + 1))
    }
    const changed = [...(await recoveredLogs(copy))]
    expect(changed.flatMap(([_session, events]) => events).filter(({ type }) => type === 'log_damaged')).toEqual([])
    for (const [session, found] of changed) {
      expect(() => expectNeverSilent(found, logs.get(session)!)).toThrow('to deeply equal')
    }
  })

  it('reports log_damaged if raw logs or their .times files are empty or missing', async () => {
    const { home, logs } = await killedHome()
    const copy = copyOf(home)
    const [first, second, third, fourth] = rawLogsOf(copy)
    truncateSync(`${first}.raw`, 0)
    truncateSync(`${second}.times`, 0)
    for (const path of [`${third}.raw`, `${third}.times`, `${third}.err`, `${fourth}.times`]) rmSync(path)
    for (const [session, found] of await recoveredLogs(copy)) {
      expectNeverSilent(found, logs.get(session)!)
      expect(found.map(({ type }) => type)).toContain('log_damaged')
    }
  })

  it.each([
    ['cut', (path: string) => truncateSync(`${path}.raw`, Math.floor(statSync(`${path}.raw`).size / 2))],
    ['changed in one byte', (path: string) => doDamage(path, { file: 'raw', place: 4_000, flip: 1 })],
    ['without its checksums', (path: string) => truncateSync(`${path}.times`, 0)],
  ])('continues with a live process whose raw log was %s', async (_how, harm) => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const run = await peer.call<Run>('run.start', {
      create: { cwd: tempDir() },
      prompt: 'sim:flood frames=2000 size=200 rate=500',
    })
    const topic = `session/${run.session}`
    await peer.call('topic.subscribe', { topic, since: 'start' })
    await until(() => expect(peer.events(topic).length).toBeGreaterThan(200))
    await daemon.kill()
    const seen = peer.events(topic)
    harm(rawLogsOf(daemon.home)[0]!)

    const next = await (await startTestDaemon({ home: daemon.home })).peer()
    expect(await next.call<Run>('run.wait', { run: run.run, timeoutMs: 30_000 })).toMatchObject({ state: 'done' })
    const log = await readLog<WireEvent>(params => next.call('topic.read', params), run.session)
    expectWholeLog(log)
    expect(log.slice(0, seen.length)).toEqual(seen)
    expect(log.map(({ type }) => type)).toContain('log_damaged')
  })
})
