import { expect, test } from 'vitest'
import type { Run, Session } from '../../../protocol/index.ts'
import { createJournal } from '../../../daemon/store/journal/journal.ts'
import { entry, event, run, session } from '../../support/records.ts'
import { tempStore } from '../temp-store.ts'

/** A journal whose syncs end when the test says so. */
function setUp() {
  const { store } = tempStore()
  const syncs: (() => void)[] = []
  const sync = () => new Promise<void>(resolve => void syncs.push(resolve))
  const publisher = { sessionEvents: () => {}, record: () => {} }
  const journal = createJournal({ ...store, sync }, publisher)
  store.sessions.add(session('s_1', { state: 'running' }))
  store.runs.save(run('r_1', 's_1'))
  const { view } = journal
  const runs = (state?: string) =>
    store.runs
      .list({ limit: 10, listed: view.listed('runs'), ...(state !== undefined && { state }) })
      .map(stored => view.run(stored.run)?.run)
  return {
    store,
    journal,
    view,
    runs,
    stateOf: (id: string) => view.run(store.runs.get(id)!.run)?.state,
    async sync() {
      for (const synced of syncs.splice(0)) synced()
      await view.whenPublished()
    },
  }
}

const saved = (id: string, state: Run['state']) => run(id, 's_1', { state })
const record = (state: Session['state']) => session('s_1', { state })

test('a run whose end waits for a sync is read, listed and counted in its earlier state', async () => {
  const { store, journal, view, runs, stateOf, sync } = setUp()
  journal.append(
    entry('s_1', [event(1)], { durable: true, runs: [saved('r_1', 'done')], sessionRecord: record('idle') }),
  )
  journal.flush()
  expect(store.runs.get('r_1')!.run.state).toBe('done')
  expect(stateOf('r_1')).toBe('running')
  expect(view.session(store.sessions.get('s_1')!)).toMatchObject({ state: 'running', head: 0 })
  expect([runs('done'), runs('running'), runs()]).toEqual([[], ['r_1'], ['r_1']])
  const idle = () => store.sessions.list({ limit: 9, state: 'idle', listed: view.listed('sessions') }).length
  expect(idle()).toBe(0)
  expect(view.countRuns(store.runs.countByState())).toEqual({ running: 1 })

  await sync()
  expect(stateOf('r_1')).toBe('done')
  expect(view.session(store.sessions.get('s_1')!)).toMatchObject({ state: 'idle', head: 1 })
  expect([runs('done'), runs('running'), runs(), idle()]).toEqual([['r_1'], [], ['r_1'], 1])
  expect(view.countRuns(store.runs.countByState())).toEqual({ done: 1 })
})

test("while a run's end is unsynced, a new run shows as queued and one that ended at once is hidden", async () => {
  const { store, journal, view, runs, stateOf, sync } = setUp()
  journal.append(entry('s_1', [event(1)], { durable: true, runs: [saved('r_1', 'done')] }))
  journal.append(entry('s_1', [event(2)], { runs: [saved('r_2', 'queued')] }))
  journal.flush()
  journal.append(entry('s_1', [event(3)], { runs: [saved('r_2', 'running')] }))
  journal.append(entry('s_1', [event(4)], { durable: true, runs: [saved('r_2', 'failed'), saved('r_3', 'done')] }))
  journal.flush()
  expect([stateOf('r_1'), stateOf('r_2'), stateOf('r_3')]).toEqual(['running', 'queued', undefined])
  expect([runs(), runs('queued'), runs('failed')]).toEqual([['r_2', 'r_1'], ['r_2'], []])
  expect(view.countRuns(store.runs.countByState())).toEqual({ running: 1, queued: 1 })
  await sync()
  expect([stateOf('r_1'), stateOf('r_2'), stateOf('r_3')]).toEqual(['done', 'failed', 'done'])
})

test('other sessions show their stored records while one session waits for a sync', () => {
  const { store, journal, view, stateOf } = setUp()
  store.sessions.add(session('s_2'))
  journal.append(entry('s_1', [event(1)], { durable: true, runs: [saved('r_1', 'done')] }))
  journal.append(entry('s_2', [event(1)], { runs: [run('r_9', 's_2', { state: 'running' })] }))
  journal.flush()
  expect(stateOf('r_9')).toBe('running')
  expect(view.session(store.sessions.get('s_2')!).head).toBe(1)
})
