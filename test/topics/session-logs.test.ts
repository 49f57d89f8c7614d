import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '../../daemon/store/open.ts'
import type { EventRow } from '../../daemon/store/store.ts'
import { createSessionLogs } from '../../daemon/topics/logs/session-logs.ts'
import { session as sessionRecord } from '../support/records.ts'

const maxEventBytes = 1_000

function setUp(bounds = { sessionBytes: 1_000, totalBytes: 2_500 }) {
  const directory = mkdtempSync(join(tmpdir(), 'muxd-logs-'))
  const store = openStore(join(directory, 'muxd.db'), { ballastBytes: 4_096 })
  onTestFinished(() => {
    store.close()
    rmSync(directory, { recursive: true })
  })
  const open = () => createSessionLogs({ events: store.events, epoch: store.epoch, maxEventBytes, bounds })
  const heads = new Map<string, number>()
  const commit = (session: string, count: number, size = 100): EventRow[] => {
    if (!heads.has(session)) store.sessions.add(sessionRecord(session))
    const head = heads.get(session) ?? 0
    const rows = Array.from({ length: count }, (_, index) => row(head + 1 + index, size))
    store.events.append(session, rows)
    heads.set(session, head + count)
    return rows
  }
  return { store, open, commit }
}

function row(seq: number, size: number): EventRow {
  const frame = JSON.stringify({ seq, time: 1, run: null, type: 'notice', kind: '' })
  const text = JSON.stringify({
    seq,
    time: 1,
    run: null,
    type: 'notice',
    kind: 'x'.repeat(Math.max(0, size - frame.length)),
  })
  return { seq, run: null, type: 'notice', text, process: null, offset: null }
}

const texts = (rows: EventRow[]) => rows.map(({ text }) => text)

test('committed events are invisible until they are published', () => {
  const { open, commit } = setUp()
  const logs = open()
  const first = commit('s_1', 3)
  const log = logs.open('s_1')
  expect([log.first(), log.head()]).toEqual([1, 3])
  const second = commit('s_1', 2)
  expect([log.head(), log.read(0, Infinity, Infinity), log.read(3, 10, 10), log.whole!(4)]).toEqual([
    3,
    texts(first),
    [],
    undefined,
  ])
  logs.publish('s_1', second)
  expect([log.head(), log.read(3, 10, Infinity), log.whole!(4)]).toEqual([5, texts(second), second[0]!.text])
})

test('publishing an event again has no effect, and publishing with a gap throws', () => {
  const { open, commit } = setUp()
  const logs = open()
  const rows = commit('s_1', 5)
  const log = logs.open('s_1')
  logs.publish('s_1', rows)
  expect(log.head()).toBe(5)
  expect(() => logs.publish('s_1', [row(7, 100)])).toThrow('s_1: event 7 published after 5')
})

test('reads return the same events from memory, from the store and across both', () => {
  const { open, commit } = setUp()
  const live = open()
  live.open('s_1')
  const rows: EventRow[] = []
  for (let turn = 0; turn < 10; turn++) {
    const added = commit('s_1', 4, turn === 5 ? 3_000 : 100)
    live.publish('s_1', added)
    rows.push(...added)
  }
  const log = live.open('s_1')
  const stored = open().open('s_1')
  expect(live.heldBytes()).toBeGreaterThan(0)
  expect(live.heldBytes()).toBeLessThanOrEqual(1_000)
  for (let after = 0; after <= 40; after++) {
    for (const limit of [1, 3, Infinity]) {
      for (const maxBytes of [0, 250, 100_000]) {
        const read = log.read(after, limit, maxBytes)
        // A read may end where memory and store meet. The next read continues there.
        const other = stored.read(after, limit, maxBytes)
        expect(read).toEqual(other.slice(0, read.length))
        expect(read.length > 0).toBe(after < 40)
      }
    }
  }
})

test('a large event is cut the same way live and in a replay, and whole() returns all of it', () => {
  const { open, commit } = setUp({ sessionBytes: 100_000, totalBytes: 100_000 })
  const logs = open()
  logs.open('s_1')
  const rows = commit('s_1', 1, 5_000)
  logs.publish('s_1', rows)
  const live = logs.open('s_1').read(0, 1, Infinity)
  expect(live[0]!.length).toBeLessThan(maxEventBytes)
  expect(open().open('s_1').read(0, 1, Infinity)).toEqual(live)
  expect(logs.open('s_1').whole!(1)).toBe(rows[0]!.text)
})

test('memory is bounded for each session and in total, and sessions idle longest lose it first', () => {
  const { open, commit } = setUp()
  const logs = open()
  for (const session of ['s_1', 's_2', 's_3', 's_4']) {
    logs.open(session)
    logs.publish(session, commit(session, 20))
    expect(logs.heldBytes()).toBeLessThanOrEqual(2_500)
  }
  const before = logs.heldBytes()
  logs.drop('s_1')
  expect(logs.heldBytes()).toBe(before)
  logs.drop('s_4')
  expect(logs.heldBytes()).toBe(before - 1_000)
  for (const session of ['s_2', 's_3']) logs.drop(session)
  expect(logs.heldBytes()).toBe(0)
})
