import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EventRow } from '../../../daemon/store/store.ts'
import { event, events, processOf, session } from '../../support/records.ts'
import { reopen, tempStore } from '../temp-store.ts'

test('a page ends with the event that exceeds the byte limit and has at least one event', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const texts = ['aaaa', 'bbbb', 'cccc', 'dddd']
  store.events.append(
    's_1',
    texts.map((text, index) => event(index + 1, { text })),
  )
  const page = (after: number, limit: number, bytes: number) => store.events.read('s_1', after, limit, bytes)
  expect(page(0, 10, 0)).toEqual(['aaaa'])
  expect(page(0, 10, 4)).toEqual(['aaaa', 'bbbb'])
  expect(page(0, 10, 7)).toEqual(['aaaa', 'bbbb'])
  expect(page(1, 10, 8)).toEqual(['bbbb', 'cccc', 'dddd'])
  expect(page(1, 2, 1_000)).toEqual(['bbbb', 'cccc'])
  expect(page(4, 10, 1_000)).toEqual([])
  expect(page(9, 10, 1_000)).toEqual([])
})

test('the byte limit of a page counts UTF-8 bytes, not characters', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.events.append('s_1', [event(1, { text: 'ééé' }), event(2, { text: 'é' }), event(3, { text: 'é' })])
  expect(store.events.read('s_1', 0, 10, 6)).toEqual(['ééé', 'é'])
  expect(store.events.read('s_1', 0, 10, 5)).toEqual(['ééé'])
})

test('reading one page of a 120 MB log allocates less than 20 MB of heap', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const large = 'x'.repeat(2_000_000)
  for (let seq = 1; seq <= 60; seq++) store.events.append('s_1', [event(seq, { delta: large })])
  const before = process.memoryUsage().heapUsed
  expect(store.events.read('s_1', 0, 1_000, 64 * 1024)).toHaveLength(1)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000)
})

test('events are read back unchanged: 5 MB, line separators, escapes, characters of every plane', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  const deltas = ['x'.repeat(5_000_000), '\u2028\u2029\u0000\u001b[0m', '𝒳😀é', '\ud800 alone', '"\\']
  const rows = deltas.map((delta, index) => event(index + 1, { delta }))
  store.events.append('s_1', rows)
  expect(store.events.read('s_1', 0, 10, 1e9)).toEqual(rows.map(row => row.text))
  expect(JSON.parse(store.events.get('s_1', 4)!.text)).toMatchObject({ delta: '\ud800 alone' })
})

test('rows of a session are read in pages and exclude those of other sessions', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) {
    store.sessions.add(session(id))
    store.events.append(id, events(1, 5))
  }
  const seqs = (after: number, limit: number) => store.events.rows('s_1', after, limit).map(({ seq }) => seq)
  expect(store.events.rows('s_1', 0, 2)).toEqual(events(1, 2))
  expect([seqs(2, 2), seqs(4, 2), seqs(5, 2), store.events.rows('s_9', 0, 2)]).toEqual([[3, 4], [5], [], []])
})

test('an event comes back with its run, type, process and offset', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.processes.save(processOf('s_1', 'p_1'))
  const row = event(1, { run: 'r_1', type: 'thinking', process: 'p_1', offset: 5_000_000_000 })
  store.events.append('s_1', [row, event(2)])
  expect(store.events.get('s_1', 1)).toEqual(row)
  expect(store.events.get('s_1', 2)).toEqual(event(2))
  expect(store.events.get('s_1', 3)).toBeUndefined()
  expect(store.events.get('s_9', 1)).toBeUndefined()
})

test('append rejects an event of an unknown process', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  expect(() => store.events.append('s_1', [event(1, { process: 'p_9' })])).toThrow(/p_9/)
  expect(store.events.bounds('s_1').head).toBe(0)
})

test('append rejects an event that leaves a gap before it or repeats a seq', () => {
  const { store } = tempStore()
  store.sessions.add(session('s_1'))
  store.events.append('s_1', events(1, 3))
  expect(() => store.events.append('s_1', events(5, 6))).toThrow('event 5 where 4 was due')
  expect(() => store.events.append('s_1', events(3, 4))).toThrow('event 3 where 4 was due')
  expect(() => store.transaction(() => store.events.append('s_1', [event(4), event(6)]))).toThrow('event 6 where 5')
  expect(store.events.bounds('s_1')).toEqual({ first: 1, head: 3 })
})

/** A model of the table: a list of texts for each session. */
type Model = Map<string, EventRow[]>
const ids = ['s_a', 's_b', 's_c']

test('after any appends, deletions and reopenings, reads and bounds match a model of plain lists', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ session: fc.constantFrom(...ids), deltas: fc.array(fc.string(), { maxLength: 9 }) }),
    },
    { weight: 1, arbitrary: fc.record({ session: fc.constantFrom(...ids), deleted: fc.constant(true) }) },
    { weight: 1, arbitrary: fc.record({ reopened: fc.constant(true) }) },
  )
  const look = fc.record({
    session: fc.constantFrom(...ids, 's_unknown'),
    after: fc.nat(40),
    limit: fc.integer({ min: 1, max: 40 }),
    bytes: fc.nat(2_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.array(look, { maxLength: 15 }), (steps, looks) => {
      const made = tempStore()
      let { store } = made
      const model: Model = new Map()
      for (const action of steps) {
        if ('reopened' in action) {
          store.close()
          store = reopen(made.file)
        } else if ('deleted' in action) {
          store.sessions.delete(action.session)
          model.delete(action.session)
        } else {
          const rows = model.get(action.session) ?? []
          const added = action.deltas.map((delta, index) => event(rows.length + index + 1, { delta }))
          if (!model.has(action.session)) store.sessions.add(session(action.session))
          store.events.append(action.session, added)
          model.set(action.session, [...rows, ...added])
        }
      }
      for (const { session: id, after, limit, bytes } of looks) {
        const rows = model.get(id) ?? []
        expect(store.events.read(id, after, limit, bytes)).toEqual(pageOf(rows, after, limit, bytes))
        expect(store.events.get(id, after)).toEqual(rows[after - 1])
        expect(store.events.bounds(id)).toEqual({ first: 1, head: rows.length })
      }
      store.close()
    }),
    { numRuns: 60 },
  )
})

function pageOf(rows: EventRow[], after: number, limit: number, maxBytes: number): string[] {
  const page: string[] = []
  let bytes = 0
  for (const { text } of rows.slice(after, after + limit)) {
    page.push(text)
    bytes += Buffer.byteLength(text)
    if (bytes > maxBytes) break
  }
  return page
}
