import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createJournal } from '../../../daemon/store/journal/journal.ts'
import { type EventRow, type Store, UnknownRecord } from '../../../daemon/store/store.ts'
import { entry, event, events, session } from '../../support/records.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { reopen, tempStore } from '../temp-store.ts'

const tokens = (output: number) => ({ input: 0, output, cacheCreation: 0, cacheRead: 0 })
const share = (costUsd: number) => ({ costUsd, tokens: tokens(costUsd * 100) })

/**
 * Returns a `cost` event. `models` has each model's cost in USD, or is absent if Claude Code did not report it. One USD
 * counts as 100 output tokens.
 */
function cost(seq: number, time: number, ofRun: string | null, models?: Record<string, number>, usd = 1): EventRow {
  const runModels = models && Object.fromEntries(Object.entries(models).map(([name, each]) => [name, share(each)]))
  const body = { costUsd: 9, runCostUsd: usd, tokens: tokens(usd * 100), ...(runModels && { runModels }) }
  const text = JSON.stringify({ seq, time, run: ofRun, type: 'cost', ...body })
  return event(seq, { type: 'cost', run: ofRun, text })
}

function storeWith(...ids: string[]): { store: Store; file: string } {
  const made = tempStore()
  for (const id of ids) made.store.sessions.add(session(id))
  return made
}

const sums = (store: Store, by: Parameters<Store['usage']['sums']>[0]['by'], filter: object = {}) =>
  store.usage
    .sums({ from: 0, to: Number.MAX_SAFE_INTEGER, by, ...filter })
    .map(({ costUsd, output, runs, ...names }) => ({
      ...Object.fromEntries(by.map(group => [group, names[group]])),
      costUsd,
      output,
      runs,
    }))

test('cost events are summed by model, session, run and quarter of an hour', () => {
  const { store } = storeWith('s_1', 's_2')
  store.usage.save('s_1', [event(1), cost(2, 10, 'r_1', { opus: 1, haiku: 2 }), cost(3, 1_000_000, 'r_2', { opus: 4 })])
  store.usage.save('s_2', [cost(2, 20, 'r_3', { haiku: 8 }), cost(3, 30, null, { haiku: 16 })])
  expect(sums(store, [])).toEqual([{ costUsd: 31, output: 3_100, runs: 3 }])
  expect(sums(store, ['model'])).toEqual([
    { model: 'haiku', costUsd: 26, output: 2_600, runs: 2 },
    { model: 'opus', costUsd: 5, output: 500, runs: 2 },
  ])
  expect(sums(store, ['session'])).toMatchObject([
    { session: 's_1', costUsd: 7, runs: 2 },
    { session: 's_2', costUsd: 24, runs: 1 },
  ])
  expect(sums(store, ['run'])).toMatchObject([
    { run: '', costUsd: 16, runs: 0 },
    { run: 'r_1', costUsd: 3, runs: 1 },
    { run: 'r_2', costUsd: 4 },
    { run: 'r_3', costUsd: 8 },
  ])
  expect(sums(store, ['quarter', 'model'], { session: 's_1' })).toMatchObject([
    { quarter: 0, model: 'haiku', costUsd: 2 },
    { quarter: 0, model: 'opus', costUsd: 1 },
    { quarter: 1, model: 'opus', costUsd: 4 },
  ])
  expect(sums(store, [], { from: 10, to: 20 })).toMatchObject([{ costUsd: 3 }])
  expect(store.usage.bounds()).toEqual({ first: 10, last: 1_000_000 })
})

test('an event that is saved twice counts once, with its latest values', () => {
  const { store } = storeWith('s_1')
  store.usage.save('s_1', [cost(1, 10, 'r_1', { opus: 1 })])
  store.usage.save('s_1', [cost(1, 10, 'r_1', { opus: 1 })])
  expect(sums(store, [])).toEqual([{ costUsd: 1, output: 100, runs: 1 }])
  store.usage.save('s_1', [cost(1, 20, 'r_2', { opus: 2 })])
  expect(sums(store, ['run'])).toEqual([{ run: 'r_2', costUsd: 2, output: 200, runs: 1 }])
})

test('a cost without a reported model is stored with an empty model name', () => {
  const { store } = storeWith('s_1')
  store.usage.save('s_1', [cost(1, 10, 'r_1', undefined, 3)])
  expect(sums(store, ['model'])).toEqual([{ model: '', costUsd: 3, output: 300, runs: 1 }])
})

test('the journal stores usage with its event or not at all, and usage outlives the session', async () => {
  const { store, file } = storeWith('s_1')
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  journal.append(entry('s_1', [...events(1, 1), cost(2, 10, 'r_1', { opus: 1 })]))
  journal.flush()
  expect(sums(store, [])).toMatchObject([{ costUsd: 1 }])
  let failure: unknown
  // The last row is not the next `seq`, so nothing of the entry is stored.
  const broken = [cost(3, 20, 'r_2', { opus: 2 }), ...events(9, 9)]
  journal.append(entry('s_1', broken, { onFailed: error => void (failure = error) }))
  journal.flush()
  expect(failure).toBeDefined()
  expect(sums(store, [])).toMatchObject([{ costUsd: 1 }])
  journal.append(entry('s_1', [], { deleted: true, durable: true }))
  await journal.settled()
  while (store.deletions.removeEvents());
  expect(store.events.bounds('s_1')).toEqual({ first: 1, head: 0 })
  expect(sums(store, ['session', 'run', 'model'])).toMatchObject([
    { session: 's_1', run: 'r_1', model: 'opus', costUsd: 1 },
  ])
  store.close()
  expect(sums(reopen(file), [])).toMatchObject([{ costUsd: 1 }])
})

test('a cost of an unknown session is rejected', () => {
  const { store } = storeWith('s_1')
  expect(() => store.usage.save('s_9', [cost(1, 10, 'r_1', { opus: 1 })])).toThrow(UnknownRecord)
  store.usage.save('s_9', events(1, 2))
})

test('forgetBefore deletes old rows in steps of the given size', () => {
  const { store } = storeWith('s_1')
  store.usage.save(
    's_1',
    Array.from({ length: 5 }, (_, index) => cost(index + 1, index, 'r_1', { opus: 1, haiku: 1 })),
  )
  expect(store.usage.forgetBefore(3, 4)).toBe(4)
  expect(store.usage.forgetBefore(3, 4)).toBe(2)
  expect(store.usage.forgetBefore(3, 4)).toBe(0)
  expect(store.usage.bounds()).toEqual({ first: 3, last: 4 })
})

test('sums larger than a 64-bit integer are returned as numbers', () => {
  const { store } = storeWith('s_1')
  const huge = (seq: number) => cost(seq, 10, 'r_1', { opus: 2 ** 56 })
  store.usage.save(
    's_1',
    Array.from({ length: 5 }, (_, index) => huge(index + 1)),
  )
  expect(sums(store, [])[0]!.output).toBeGreaterThan(2 ** 64)
})

test('migrating a first-version home takes usage from its ended runs, with an empty model name', () => {
  const file = join(tempDir(), 'muxd.db')
  copyFileSync(new URL('../../fixtures/home-v1/muxd.db', import.meta.url), file)
  const store = reopen(file)
  const ended = store.runs.list({ limit: 100 }).flatMap(({ run }) => (run.result?.costUsd ? [run] : []))
  expect(ended.length).toBeGreaterThan(1)
  expect(sums(store, ['run', 'session', 'model'])).toEqual(
    ended
      .map(({ run, session: ofSession, result }) => ({
        run,
        session: ofSession,
        model: '',
        costUsd: result!.costUsd,
        output: result!.tokens.output,
        runs: 1,
      }))
      .toSorted((one, other) => (one.run < other.run ? -1 : 1)),
  )
  expect(store.usage.bounds()!.last).toBe(Math.max(...ended.map(({ endedAt }) => endedAt!)))
})
