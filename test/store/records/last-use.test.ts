import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Session } from '../../../protocol/index.ts'
import { openSqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import { type Store, UnknownRecord } from '../../../daemon/store/store.ts'
import { session } from '../../support/records.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { reopen, tempStore } from '../temp-store.ts'

const urgency = ({ state }: Session) => ({ waiting: 2, running: 1, idle: 0, closed: 0 })[state]
const inOrder = (sessions: Session[]) =>
  sessions.toReversed().toSorted((one, other) => urgency(other) - urgency(one) || other.usedAt - one.usedAt)

/** Returns all pages of the list by last use. Calls `between` before each page but the first. */
function pages(store: Store, limit: number, filter: { state?: string } = {}, between = () => {}): Session[] {
  const all: Session[] = []
  for (let after: string | undefined; ; between()) {
    const page = store.sessions.listByUse({ ...filter, limit, ...(after !== undefined && { after }) })
    all.push(...page.map(({ session: one }) => one))
    if (page.length < limit) return all
    after = page.at(-1)!.cursor
  }
}

test('listByUse returns waiting sessions, then running ones, then by last use, for any page size', () => {
  const state = fc.constantFrom('idle' as const, 'running' as const, 'waiting' as const, 'closed' as const)
  const records = fc.array(fc.record({ state, usedAt: fc.nat(5) }), { maxLength: 15 })
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: 4 }), (made, limit) => {
      const { store } = tempStore()
      const all = made.map((fields, index) => session(`s_${index}`, fields))
      for (const each of all) store.sessions.add({ ...each, state: 'idle', usedAt: 0 })
      for (const each of all) store.sessions.save(each)
      expect(pages(store, limit)).toEqual(inOrder(all))
      const running = all.filter(each => each.state === 'running')
      expect(pages(store, limit, { state: 'running' })).toEqual(inOrder(running))
      store.close()
    }),
    { numRuns: 30 },
  )
})

test('listByUse pages continue after a deleted or just used session, without repeats', () => {
  const { store } = tempStore()
  for (let index = 1; index <= 6; index++) store.sessions.add(session(`s_${index}`, { usedAt: index }))
  let turn = 0
  const seen = pages(store, 2, {}, () => {
    if (++turn === 1) store.sessions.delete('s_5')
    if (turn === 2) store.sessions.save(session('s_3', { usedAt: 99, state: 'running' }))
  })
  expect(seen.map(({ session: id }) => id)).toEqual(['s_6', 's_5', 's_4', 's_3', 's_2', 's_1'])
})

test('listByUse rejects a malformed cursor with an error that contains it', () => {
  const { store } = tempStore()
  for (const after of ['s_1', 'used.1', 'used.9.9.x', 'used.1.99999999999999999999.1']) {
    expect(() => store.sessions.listByUse({ limit: 1, after })).toThrow(UnknownRecord)
    expect(() => store.sessions.listByUse({ limit: 1, after })).toThrow(after)
  }
})

test('a listByUse page is read from an index', () => {
  const { store, file } = tempStore()
  store.close()
  const db = openSqlite(file)
  const plan = db
    .prepare<[], { detail: string }>(
      `EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE (urgency, used_at, number) < (1, 1, 1)
       ORDER BY urgency DESC, used_at DESC, number DESC LIMIT 10`,
    )
    .all()
  db.close()
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('USING INDEX sessions_by_use')])
})

test('sessions of an old home get usedAt from their newest run and can be updated', () => {
  const file = join(tempDir(), 'muxd.db')
  copyFileSync(new URL('../../fixtures/home-v1/muxd.db', import.meta.url), file)
  const store = reopen(file)
  const all = store.sessions.all()
  expect(all.length).toBeGreaterThan(1)
  for (const one of all) {
    const runs = store.runs
      .list({ session: one.session, limit: 100 })
      .map(({ run }) => run.endedAt ?? run.startedAt ?? 0)
    expect(one.usedAt).toBe(runs.length > 0 ? Math.max(...runs) : one.updatedAt)
  }
  expect(pages(store, 2)).toEqual(inOrder(all))
  store.sessions.save({ ...all[0]!, usedAt: all[0]!.usedAt + 1 })
  expect(store.sessions.get(all[0]!.session)!.usedAt).toBe(all[0]!.usedAt + 1)
})
