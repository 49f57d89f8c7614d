import { existsSync, openSync, closeSync, readFileSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blockBytes } from '../../daemon/holder/pack.ts'
import { processFiles } from '../../daemon/holder/process-files.ts'
import { openRawLog } from '../../daemon/holder/raw-log.ts'
import { reduceRawLog } from '../../daemon/retention/reduce-raw-log.ts'
import { packDraft, writePack } from '../../daemon/retention/write-pack.ts'
import type { Store } from '../../daemon/store/store.ts'
import { tempStore } from '../store/temp-store.ts'
import { session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { endedProcess, framesOf, printed, readAll } from './raw-logs.ts'

const never = new AbortController().signal

test('frames are the same before and after their raw log was compressed, byte for byte and from any place', async () => {
  const { store, dir } = threeProcesses()
  const kept = framesOf(store, dir, 's_1')
  const before = readAll(kept)
  const bytesBefore = sizeOf(dir)
  expect(before.length).toBeGreaterThan(6_500)

  for (const id of ['p_1', 'p_2'])
    await reduceRawLog({ store, processesDir: dir }, store.processes.get(id)!, 'compress', never)

  expect(readdirSync(dir).toSorted()).toEqual(['p_1.pack', 'p_2.pack', 'p_3.err', 'p_3.raw', 'p_3.times'])
  expect(store.processes.get('p_1')).toMatchObject({ raw: 'compressed', frames: 4_000 })
  expect(sizeOf(dir)).toBeLessThan(bytesBefore / 2)
  // For one who was reading, and for one who begins.
  for (const log of [kept, framesOf(store, dir, 's_1')]) {
    expect([log.first(), log.head()]).toEqual([1, before.length])
    for (const after of [3_999, 3, 6_200, 4_000, 0, before.length - 1, 2_321, 2_322]) {
      expect(log.read(after, 3, Infinity)).toEqual(before.slice(after, after + 3))
      expect(log.whole(after + 1)).toBe(before[after])
    }
    expect(readAll(log)).toEqual(before)
    expect(readAll(log, 300_000)).toEqual(before)
  }
})

test('a raw log that was compressed gives every byte, its time and the end of stderr as before', async () => {
  const { store, dir } = threeProcesses()
  const facts = () => {
    const log = openRawLog(dir, 'p_1')
    const size = log.sizeBytes()
    const places = [0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 2 * blockBytes - 70, size - 1, size, size + 1]
    const found = places.map(place => [log.read(place, 1_000).toString('latin1'), log.timeAt(place - 1)])
    const tail = log.stderrTail(5)
    log.close()
    return { size, found, tail }
  }
  const before = facts()
  expect(before.size).toBeGreaterThan(2 * blockBytes)
  await reduceRawLog({ store, processesDir: dir }, store.processes.get('p_1')!, 'compress', never)
  expect(facts()).toEqual(before)
})

test('of a process whose raw log was dropped the frames are gone, and those of later ones keep their numbers', async () => {
  const { store, dir } = threeProcesses()
  const kept = framesOf(store, dir, 's_1')
  const before = readAll(kept)
  await reduceRawLog({ store, processesDir: dir }, store.processes.get('p_1')!, 'drop', never)

  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual([])
  for (const log of [kept, framesOf(store, dir, 's_1')]) {
    expect([log.first(), log.head()]).toEqual([4_001, before.length])
    expect(readAll(log)).toEqual(before.slice(4_000))
    expect(log.whole(4_000)).toBeUndefined()
    expect(log.whole(4_001)).toBe(before[4_000])
  }
  for (const id of ['p_2', 'p_3'])
    await reduceRawLog({ store, processesDir: dir }, store.processes.get(id)!, 'drop', never)
  expect([kept.first(), kept.head()]).toEqual([before.length + 1, before.length])
  expect(kept.read(before.length, 1, Infinity)).toEqual([])
})

test('a reduction that broke off after any of its steps leaves all to be read, and the next one ends it', async () => {
  const { store, dir } = threeProcesses()
  const before = readAll(framesOf(store, dir, 's_1'))
  const files = processFiles(dir, 'p_1')
  const reduce = (action: 'compress' | 'drop') =>
    reduceRawLog({ store, processesDir: dir }, store.processes.get('p_1')!, action, never)

  // While the pack was written: a draft, of whatever content.
  writeFile(packDraft(files), 'half of it')
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before)
  // When it had its name, and nothing else was done yet.
  await writePack(files, Buffer.alloc(0), never)
  expect(existsSync(packDraft(files))).toBe(false)
  expect(existsSync(files.raw)).toBe(true)
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before)
  // When the database said so, and the files were there still; or some of them.
  store.processes.reduced('p_1', 'compressed', 4_000)
  rmSync(files.times)
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before)
  await reduce('compress')
  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual(['p_1.pack'])
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before)
  // When it was dropped, and the file was there still.
  store.processes.reduced('p_1', 'dropped', 4_000)
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before.slice(4_000))
  await reduce('drop')
  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual([])
})

test('given up half-way, a compression leaves the files as they were', async () => {
  const { store, dir } = threeProcesses()
  const aborted = AbortSignal.abort(new Error('the daemon stops'))
  const process = { ...store.processes.get('p_1')!, frames: 4_000 }
  const reducing = reduceRawLog({ store, processesDir: dir }, process, 'compress', aborted)
  await expect(reducing).rejects.toThrow('the daemon stops')
  expect(
    readdirSync(dir)
      .filter(name => name.startsWith('p_1'))
      .toSorted(),
  ).toEqual(['p_1.err', 'p_1.raw', 'p_1.times'])
  expect(store.processes.get('p_1')).toMatchObject({ raw: 'kept', frames: null })
})

test('compressed for a session that was deleted meanwhile, nothing of it stays', async () => {
  const { store, dir } = threeProcesses()
  const process = store.processes.get('p_1')!
  store.sessions.delete('s_1')
  await reduceRawLog({ store, processesDir: dir }, process, 'compress', never)
  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual([])
})

test('a damaged pack is told as damage: every frame it still gives is the true one, and their number stays', async () => {
  const { store, dir } = threeProcesses()
  const before = readAll(framesOf(store, dir, 's_1'))
  await reduceRawLog({ store, processesDir: dir }, store.processes.get('p_1')!, 'compress', never)
  const { pack } = processFiles(dir, 'p_1')
  const whole = readFileSync(pack)
  const truth = new Set(before.map(text => withoutSeq(text)))
  for (const place of [40, 20_000, whole.length - 2_000, whole.length - 90, whole.length - 3]) {
    flip(pack, place)
    const texts = readAll(framesOf(store, dir, 's_1'))
    expect(texts).toHaveLength(before.length)
    // Nothing but what was printed, or that something is missing.
    const isFalse = (text: string) => !text.includes('"reason":"damaged"') && !truth.has(withoutSeq(text))
    expect(texts.filter(isFalse)).toEqual([])
    expect(texts.slice(4_000)).toEqual(before.slice(4_000))
    const isTold = texts.some(text => text.includes('"reason":"damaged"'))
    expect(isTold || texts.every((text, index) => text === before[index]), `byte ${place}`).toBe(true)
    flip(pack, place)
  }
  expect(readFileSync(pack)).toEqual(whole)
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before)
})

function threeProcesses(): { store: Store; dir: string } {
  const { store } = tempStore()
  const dir = tempDir()
  store.sessions.add(session('s_1'))
  endedProcess(store, dir, 's_1', 'p_1', printed(4_000, 7))
  endedProcess(store, dir, 's_1', 'p_2', printed(2_500, 11))
  endedProcess(store, dir, 's_1', 'p_3', printed(300, 13))
  return { store, dir }
}

const withoutSeq = (text: string) => text.replace(/^\{"seq":\d+,/, '')

const sizeOf = (dir: string) => readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)

function writeFile(path: string, text: string) {
  const fd = openSync(path, 'w', 0o600)
  writeSync(fd, text)
  closeSync(fd)
}

function flip(path: string, place: number) {
  const bytes = readFileSync(path)
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.from([bytes[place]! ^ 0x10]), 0, 1, place)
  closeSync(fd)
}
