import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import { UnknownRecord } from '../../../daemon/store/store.ts'
import { approval, events, processOf, run, session } from '../../support/records.ts'
import { tempStore } from '../temp-store.ts'

test('sessions are listed newest first, in pages, and a saved change keeps their order', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2', 's_3', 's_4', 's_5']) store.sessions.add(session(id))
  store.sessions.save(session('s_2', { title: 'changed' }))
  const first = store.sessions.list({ limit: 2 })
  const second = store.sessions.list({ limit: 2, after: 's_4' })
  const third = store.sessions.list({ limit: 2, after: 's_2' })
  expect([first, second, third].map(page => page.map(record => record.session))).toEqual([
    ['s_5', 's_4'],
    ['s_3', 's_2'],
    ['s_1'],
  ])
  expect(store.sessions.get('s_2')?.title).toBe('changed')
  expect(store.sessions.ids()).toEqual(['s_1', 's_2', 's_3', 's_4', 's_5'])
})

test('saving a deleted session is rejected and does not restore it', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.sessions.delete('s_1')
  expect(() => store.sessions.save(session('s_1', { title: 'changed' }))).toThrow(UnknownRecord)
  expect(store.sessions.ids()).toEqual([])
})

test('an answer is found by its exact key, with any characters', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code))
  const keys = fc.uniqueArray(fc.oneof(fc.string({ unit }), fc.constantFrom('\ud800', '\udfff', '\ufffd', 'a\0', 'a')))
  fc.assert(
    fc.property(keys, all => {
      const { store } = tempStore()
      const answers = all.map((key, index) => ({ key, method: 'm', paramsHash: 'h', answer: String(index), time: 1 }))
      for (const answer of answers) store.requests.save(answer)
      expect(all.map(key => store.requests.get(key))).toEqual(answers)
      store.close()
    }),
    { numRuns: 30 },
  )
})

test('list() rejects a page after an unknown record instead of returning an empty list', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  expect(() => store.sessions.list({ limit: 1, after: 's_9' })).toThrow(UnknownRecord)
  expect(() => store.runs.list({ limit: 1, after: 'r_9' })).toThrow(UnknownRecord)
})

test('sessions are filtered by state and by labels, which must all match', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1', { labels: { team: 'a', area: 'ui' } }))
  store.sessions.add(session('s_2', { labels: { team: 'a' }, state: 'running' }))
  store.sessions.add(session('s_3', { labels: { team: 'b' } }))
  const ids = (filter: object) => store.sessions.list({ limit: 10, ...filter }).map(record => record.session)
  expect(ids({ labels: { team: 'a' } })).toEqual(['s_2', 's_1'])
  expect(ids({ labels: { team: 'a', area: 'ui' } })).toEqual(['s_1'])
  expect(ids({ labels: { team: 'a' }, state: 'running' })).toEqual(['s_2'])
  expect(ids({ labels: {} })).toEqual(['s_3', 's_2', 's_1'])
  expect(ids({ state: 'closed' })).toEqual([])
})

test('labels match exactly, with any characters', () => {
  const { store } = tempStore()
  const label = fc.string({ unit: 'binary', maxLength: 8 })
  const labels = fc.dictionary(label, label, { maxKeys: 4, noNullPrototype: true })
  store.sessions.add(session('s_1'))
  fc.assert(
    fc.property(labels, labels, (own, wanted) => {
      store.sessions.save(session('s_1', { labels: own }))
      const expected = Object.entries(wanted).every(([key, value]) => Object.hasOwn(own, key) && own[key] === value)
      expect(store.sessions.list({ limit: 1, labels: wanted })).toHaveLength(expected ? 1 : 0)
      expect(store.sessions.list({ limit: 1, labels: own })).toHaveLength(1)
    }),
  )
})

test('runs are listed by session and state, newest first, in pages', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) store.sessions.add(session(id))
  store.runs.save(run('r_1', 's_1', { state: 'done' }))
  store.runs.save(run('r_2', 's_2'))
  store.runs.save(run('r_3', 's_1', { state: 'failed' }))
  store.runs.save(run('r_4', 's_1', { state: 'queued' }))
  const ids = (filter: object) => store.runs.list({ limit: 10, ...filter }).map(stored => stored.run.run)
  expect(ids({})).toEqual(['r_4', 'r_3', 'r_2', 'r_1'])
  expect(ids({ session: 's_1' })).toEqual(['r_4', 'r_3', 'r_1'])
  expect(ids({ session: 's_1', after: 'r_4', limit: 1 })).toEqual(['r_3'])
  expect(ids({ session: 's_1', state: 'done' })).toEqual(['r_1'])
  expect(ids({ state: 'running' })).toEqual(['r_2'])
  expect(ids({ session: 's_9' })).toEqual([])
})

test('approvals are listed by session and state, newest first, in pages, and deleted with their session', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) store.sessions.add(session(id))
  for (const [id, of] of [
    ['a_1', 's_1'],
    ['a_2', 's_2'],
    ['a_3', 's_1'],
  ] as const)
    store.approvals.save(approval(id, of))
  const answered = { ...approval('a_1', 's_1', { state: 'resolved', decision: 'allow' }), answer: '{}' }
  store.approvals.save(answered)
  const ids = (filter: object) => store.approvals.list({ limit: 10, ...filter }).map(stored => stored.approval.approval)
  expect(ids({})).toEqual(['a_3', 'a_2', 'a_1'])
  expect(ids({ limit: 1, after: 'a_3' })).toEqual(['a_2'])
  expect(ids({ state: 'pending' })).toEqual(['a_3', 'a_2'])
  expect(ids({ session: 's_1', state: 'resolved' })).toEqual(['a_1'])
  expect(store.approvals.get('a_1')).toEqual(answered)
  expect(store.approvals.ofProcess('p_1').map(stored => stored.approval.approval)).toEqual(['a_1', 'a_2', 'a_3'])
  expect(() => store.approvals.save(approval('a_9', 's_9'))).toThrow(UnknownRecord)
  store.sessions.delete('s_1')
  expect(ids({})).toEqual(['a_2'])
})

test.each(['\ud800', 'a\0b', '"quoted"', '"\\ud800"'])('a request id of %j is read back unchanged', requestId => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const stored = { ...approval('a_1', 's_1'), requestId }
  store.approvals.save(stored)
  expect(store.approvals.get('a_1')).toEqual(stored)
})

test('unfinished runs come oldest first, and runs are counted by state', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const states = ['done', 'queued', 'running', 'cancelling', 'interrupted', 'failed', 'cancelled', 'queued'] as const
  states.forEach((state, index) => store.runs.save(run(`r_${index}`, 's_1', { state })))
  expect(store.runs.unfinished().map(stored => stored.run.run)).toEqual(['r_1', 'r_2', 'r_3', 'r_7'])
  expect(store.runs.countByState()).toEqual({
    done: 1,
    queued: 2,
    running: 1,
    cancelling: 1,
    interrupted: 1,
    failed: 1,
    cancelled: 1,
  })
  store.runs.save(run('r_1', 's_1', { state: 'done' }))
  expect(store.runs.get('r_1')).toEqual(run('r_1', 's_1', { state: 'done' }))
  expect(store.runs.unfinished().map(stored => stored.run.run)).toEqual(['r_2', 'r_3', 'r_7'])
})

test('a run keeps its promptUuid, also null', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.runs.save({ ...run('r_1', 's_1'), promptUuid: null })
  expect(store.runs.get('r_1')?.promptUuid).toBeNull()
  store.runs.save(run('r_1', 's_1'))
  expect(store.runs.get('r_1')?.promptUuid).toBe('uuid of r_1')
})

test('processes are kept in order with 64-bit offsets and are live until they end', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) store.sessions.add(session(id))
  const [first, second, third] = [processOf('s_1', 'p_1'), processOf('s_2', 'p_2'), processOf('s_1', 'p_3')]
  for (const process of [first, second, third]) store.processes.save(process)
  store.processes.checkpoint('p_1', 5_000_000_000)
  expect(store.processes.get('p_1')).toEqual({ ...first, offset: 5_000_000_000 })
  const changed = {
    ...second,
    endedAt: 1_763_690_000_000,
    costUsdBefore: 0.125,
    resumed: true,
    firstSeq: 7,
    conversationIdBefore: 'c-1',
    raw: 'dropped' as const,
    frames: 12,
  }
  store.processes.save(changed)
  expect(store.processes.get('p_2')).toEqual(changed)
  expect(store.processes.live().map(process => process.id)).toEqual(['p_1', 'p_3'])
  expect(store.processes.ofSession('s_1').map(process => process.id)).toEqual(['p_1', 'p_3'])
  expect(() => store.processes.checkpoint('p_9', 1)).toThrow(UnknownRecord)
})

test('runs, processes and events of an unknown session are rejected', () => {
  const { store } = tempStore()
  expect(() => store.runs.save(run('r_1', 's_9'))).toThrow(UnknownRecord)
  expect(() => store.processes.save(processOf('s_9', 'p_1'))).toThrow(UnknownRecord)
  expect(() => store.events.append('s_9', events(1, 1))).toThrow(UnknownRecord)
})

test('deleting a session deletes its runs, processes and events, and none of other sessions', () => {
  const { store } = tempStore()
  const ids = ['s_1', 's_2', 's_3']
  for (const id of ids) {
    store.sessions.add(session(id))
    store.runs.save(run(`r_${id}`, id))
    store.processes.save(processOf(id, `p_${id}`))
    store.events.append(id, events(1, 5))
  }
  store.sessions.delete('s_2')
  store.sessions.delete('s_2')
  expect(store.sessions.ids()).toEqual(['s_1', 's_3'])
  expect(store.runs.list({ limit: 9 }).map(stored => stored.run.run)).toEqual(['r_s_3', 'r_s_1'])
  expect(store.processes.live().map(process => process.id)).toEqual(['p_s_1', 'p_s_3'])
  expect(ids.map(id => store.events.bounds(id).head)).toEqual([5, 0, 5])
})

test('events of a deleted session are removed in steps, and its number is not reused meanwhile', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) {
    store.sessions.add(session(id))
    store.processes.save(processOf(id, `p_${id}`))
    store.events.append(id, events(1, 600, { delta: 'x'.repeat(100) }))
  }
  const used = store.usedBytes()
  store.sessions.delete('s_2')
  store.sessions.add(session('s_3'))
  expect(store.events.bounds('s_3')).toEqual({ first: 1, head: 0 })
  store.events.append('s_3', events(1, 10))
  expect(store.deletions.processes()).toEqual(['p_s_2'])

  let steps = 0
  while (store.deletions.removeEvents()) steps++
  expect(steps).toBeGreaterThan(1)
  store.deletions.forgetProcess('p_s_2')
  expect(store.deletions.removeEvents()).toBe(false)
  expect(store.deletions.processes()).toEqual([])
  while (store.giveBack()) steps++
  expect(store.usedBytes()).toBeLessThan(used * 0.7)
  expect(['s_1', 's_2', 's_3'].map(id => store.events.bounds(id).head)).toEqual([600, 0, 10])

  // The process of a session that is not deleted stays.
  store.deletions.forgetProcess('p_s_1')
  expect(store.processes.get('p_s_1')?.session).toBe('s_1')
})

test('the number of a session is never reused, even after its events are removed', () => {
  const { store, file } = tempStore()
  const numbers: (number | undefined)[] = []
  for (const id of ['s_1', 's_2', 's_3']) {
    store.sessions.add(session(id))
    const db = openSqlite(file)
    numbers.push(db.value<[string], number>('SELECT number FROM sessions WHERE id = ?').get(id))
    db.close()
    store.sessions.delete(id)
    while (store.deletions.removeEvents());
  }
  expect(numbers).toEqual([1, 2, 3])
})

test('an answer keeps its first value and is kept until its key expires', () => {
  const { store } = tempStore()
  const kept = (key: string, time: number) => ({
    key,
    method: 'run.start',
    paramsHash: 'h',
    answer: '{"run":"r_1"}',
    time,
  })
  store.requests.save(kept('k1', 1_000))
  store.requests.save(kept('k2', 2_000))
  expect(() => store.requests.save({ ...kept('k1', 3_000), answer: '{}' })).toThrow(/UNIQUE/)
  expect(store.requests.get('k1')).toEqual(kept('k1', 1_000))
  expect(store.requests.forgetBefore(2_000)).toBe(1)
  expect(store.requests.get('k1')).toBeUndefined()
  expect(store.requests.get('k2')).toEqual(kept('k2', 2_000))
})

test('a transaction that throws is rolled back, also a nested one, and the next one works', () => {
  const { store } = tempStore()
  expect(() =>
    store.transaction(() => {
      store.sessions.add(session('s_1'))
      store.sessions.delete('s_0')
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(store.sessions.ids()).toEqual([])
  const answer = store.transaction(() => {
    store.sessions.add(session('s_1'))
    expect(() => store.transaction(() => store.events.append('s_1', events(1, 2).concat(events(9, 9))))).toThrow(
      /was due/,
    )
    return store.events.bounds('s_1').head
  })
  expect(answer).toBe(0)
  expect(store.sessions.ids()).toHaveLength(1)
})
