import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { processFiles } from '../../daemon/pty-host/process-files.ts'
import { dropRawLog } from '../../daemon/retention/drop-raw-log.ts'
import type { Store, StoredProcess } from '../../daemon/store/store.ts'
import { tempStore } from '../store/temp-store.ts'
import { session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { agents, endedProcess, framesOf, printed, readAll } from './raw-logs.ts'

const never = new AbortController().signal

test('frames of a dropped raw log are gone, and later frames keep their numbers', async () => {
  const { store, dir } = threeProcesses()
  const kept = framesOf(store, dir, 's_1')
  const before = readAll(kept)
  await dropRawLog({ agents, store, processesDir: dir }, store.processes.get('p_1')!, never)

  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual([])
  for (const log of [kept, framesOf(store, dir, 's_1')]) {
    expect([log.first(), log.head()]).toEqual([4_001, before.length])
    expect(readAll(log)).toEqual(before.slice(4_000))
    expect(log.whole(4_000)).toBeUndefined()
    expect(log.whole(4_001)).toBe(before[4_000])
  }
  for (const id of ['p_2', 'p_3'])
    await dropRawLog({ agents, store, processesDir: dir }, store.processes.get(id)!, never)
  expect([kept.first(), kept.head()]).toEqual([before.length + 1, before.length])
  expect(kept.read(before.length, 1, Infinity)).toEqual([])
})

test('an interrupted drop of a raw log is finished by the next one', async () => {
  const { store, dir } = threeProcesses()
  const before = readAll(framesOf(store, dir, 's_1'))
  const drop = () => dropRawLog({ agents, store, processesDir: dir }, store.processes.get('p_1')!, never)
  // The state after a part of the steps: the database has the number of frames, and some files still exist.
  store.processes.dropped('p_1', 4_000)
  rmSync(processFiles(dir, 'p_1').times)
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before.slice(4_000))
  await drop()
  await drop()
  expect(readdirSync(dir).filter(name => name.startsWith('p_1'))).toEqual([])
  expect(readAll(framesOf(store, dir, 's_1'))).toEqual(before.slice(4_000))
})

test('an aborted drop leaves the files unchanged', async () => {
  const { store, dir } = threeProcesses()
  const aborted = AbortSignal.abort(new Error('the daemon stops'))
  await expect(dropRawLog({ agents, store, processesDir: dir }, store.processes.get('p_1')!, aborted)).rejects.toThrow(
    'the daemon stops',
  )
  expect(
    readdirSync(dir)
      .filter(name => name.startsWith('p_1'))
      .toSorted(),
  ).toEqual(['p_1.err', 'p_1.raw', 'p_1.times'])
  expect(store.processes.get('p_1')).toMatchObject({ raw: 'kept', frames: null })
})

test('a raw log compressed by an earlier version counts as dropped, and the next drop removes its pack', async () => {
  const { store, dir } = threeProcesses({ raw: 'compressed' as 'dropped', frames: 4_000 })
  const files = processFiles(dir, 'p_1')
  for (const file of [files.raw, files.times, files.err]) rmSync(file)
  writeFileSync(files.pack, 'packed')
  expect(store.processes.get('p_1')).toMatchObject({ raw: 'dropped', frames: 4_000 })
  const frames = framesOf(store, dir, 's_1')
  expect([frames.first(), frames.head()]).toEqual([4_001, 6_800])
  await dropRawLog({ agents, store, processesDir: dir }, store.processes.get('p_1')!, never)
  expect(existsSync(files.pack)).toBe(false)
})

function threeProcesses(first: Partial<StoredProcess> = {}): { store: Store; dir: string } {
  const { store } = tempStore()
  const dir = tempDir()
  store.sessions.add(session('s_1'))
  endedProcess(store, dir, 's_1', 'p_1', printed(4_000, 7), first)
  endedProcess(store, dir, 's_1', 'p_2', printed(2_500, 11))
  endedProcess(store, dir, 's_1', 'p_3', printed(300, 13))
  return { store, dir }
}
