import { expect, onTestFinished, test, vi } from 'vitest'
import { createJournal, type Journal } from '../../../daemon/store/journal/journal.ts'
import type { Publisher } from '../../../daemon/store/journal/publish.ts'
import { openSqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import { DatabaseBusy, SyncFailed, UnknownRecord, type Store } from '../../../daemon/store/store.ts'
import { acts, entry, event, events, processOf, run, session } from '../../support/records.ts'
import { reopen, tempStore } from '../temp-store.ts'
import { until } from '../../support/until.ts'

test('entries are published in append order, and each onPublished callback follows its events', async () => {
  const { journal, heard } = setUp('s_1', 's_2')
  journal.append(entry('s_1', events(1, 2), { onPublished: () => heard.push('told s_1') }))
  journal.append(entry('s_2', events(1, 1)))
  journal.append(entry('s_1', events(3, 3)))
  expect(heard).toEqual([])
  await journal.settled()
  expect(heard).toEqual(['s_1 1-2', 'told s_1', 's_2 1-1', 's_1 3-3'])
})

test('the entries of one turn, over all sessions, are one transaction', async () => {
  const { store, heard } = setUp('s_1', 's_2')
  const transactions = vi.fn<() => void>()
  const transaction: Store['transaction'] = work => {
    transactions()
    return store.transaction(work)
  }
  const counted = createJournal({ ...store, transaction }, recorder(heard))
  counted.append(entry('s_1', events(1, 1)))
  await Promise.resolve()
  process.nextTick(() => counted.append(entry('s_2', events(1, 1))))
  await until(() => expect(heard).toEqual(['s_1 1-1', 's_2 1-1']))
  expect(transactions).toHaveBeenCalledTimes(1)
})

test('session_created precedes the events, changed records follow them, session_deleted comes last', async () => {
  const { journal, heard, store } = setUp()
  journal.append(
    entry('s_1', [event(1)], {
      sessionRecord: session('s_1'),
      created: true,
      runs: [run('r_1', 's_1'), run('r_2', 's_1')],
    }),
  )
  journal.append(entry('s_1', [event(2)], { sessionRecord: session('s_1', { title: 'new' }) }))
  await journal.settled()
  expect(store.sessions.get('s_1')?.title).toBe('new')
  journal.append(entry('s_1', [event(3)], { deleted: true, durable: true }))
  await journal.settled()
  expect(heard).toEqual([
    'session_created',
    's_1 1-1',
    'run_changed',
    'run_changed',
    's_1 2-2',
    'session_changed',
    's_1 3-3',
    'session_deleted',
  ])
  expect(store.sessions.ids()).toEqual([])
})

test('published rows are already visible to a second database connection', async () => {
  const { store, file } = tempStore()
  const reader = reopen(file)
  const found: unknown[] = []
  const look = (id: string) => {
    const { head } = reader.events.bounds(id)
    found.push([head, reader.processes.get('p_1')?.offset, reader.runs.get('r_1')?.run.state])
  }
  const journal = createJournal(store, { sessionEvents: look, record: () => look('s_1') })
  journal.append(
    entry('s_1', events(1, 4, { process: 'p_1', offset: 9 }), {
      sessionRecord: session('s_1'),
      created: true,
      process: processOf('s_1', 'p_1'),
      runs: [run('r_1', 's_1')],
      checkpoint: { process: 'p_1', offset: 9 },
      onPublished: () => look('s_1'),
    }),
  )
  journal.flush()
  expect(found).toEqual(Array.from({ length: 4 }, () => [4, 9, 'running']))
})

test('a durable entry and the later entries of its session wait for the sync, other sessions do not', async () => {
  const { journal, heard, syncs } = setUpDelayed('s_1', 's_2')
  journal.append(entry('s_1', events(1, 1)))
  journal.append(entry('s_1', events(2, 2), { durable: true, onPublished: () => heard.push('told s_1 2') }))
  journal.append(entry('s_2', events(1, 1)))
  journal.flush()
  journal.append(entry('s_1', events(3, 3)))
  journal.append(entry('s_2', events(2, 2)))
  journal.flush()
  expect(heard).toEqual(['s_1 1-1', 's_2 1-1', 's_2 2-2'])
  expect(syncs).toHaveLength(1)
  syncs[0]!.finish()
  await until(() => expect(heard.slice(3)).toEqual(['s_1 2-2', 'told s_1 2', 's_1 3-3']))
  journal.append(entry('s_1', events(4, 4)))
  journal.flush()
  expect(heard.at(-1)).toBe('s_1 4-4')
})

test('a second durable entry waits for its own sync and holds back the entries after it', async () => {
  const { journal, heard, syncs } = setUpDelayed('s_1')
  journal.append(entry('s_1', events(1, 1), { durable: true }))
  journal.flush()
  journal.append(entry('s_1', events(2, 2)))
  journal.append(entry('s_1', events(3, 3), { durable: true }))
  journal.append(entry('s_1', events(4, 4)))
  journal.flush()
  syncs[0]!.finish()
  await until(() => expect(heard).toEqual(['s_1 1-1', 's_1 2-2']))
  syncs[1]!.finish()
  await until(() => expect(heard.slice(2)).toEqual(['s_1 3-3', 's_1 4-4']))
})

test('syncs that finish out of order do not reorder a session', async () => {
  const { journal, heard, syncs } = setUpDelayed('s_1')
  for (const seq of [1, 2]) {
    journal.append(entry('s_1', events(seq, seq), { durable: true }))
    journal.flush()
  }
  syncs[1]!.finish()
  await syncs[1]!.done
  expect(heard).toEqual([])
  syncs[0]!.finish()
  await until(() => expect(heard).toEqual(['s_1 1-1', 's_1 2-2']))
})

test('settled() waits for a sync of all appended entries, durable or not', async () => {
  const { journal, heard, syncs } = setUpDelayed('s_1')
  journal.append(entry('s_1', events(1, 1), { durable: true }))
  let settled = false
  const done = journal.settled().then(() => (settled = true))
  expect(syncs).toHaveLength(2)
  syncs[0]!.finish()
  await until(() => expect(heard).toEqual(['s_1 1-1']))
  expect(settled).toBe(false)
  syncs[1]!.finish()
  await done
})

test('after a failed sync nothing more is stored or published, and the failure is reported once', async () => {
  const { journal, heard, syncs, reported, store } = setUpDelayed('s_1', 's_2')
  journal.append(entry('s_1', events(1, 1), { durable: true }))
  journal.flush()
  journal.append(entry('s_1', events(2, 2)))
  journal.append(entry('s_2', events(1, 1), { durable: true }))
  const settled = journal.settled()
  const broken = new SyncFailed('the disk is broken')
  for (const sync of syncs) sync.fail(broken)
  await expect(settled).rejects.toBe(broken)
  await until(() => expect(reported).toEqual(['sync failed', broken]))

  const failures: unknown[] = []
  journal.append(entry('s_2', events(2, 2), { onFailed: error => failures.push(error) }))
  journal.flush()
  const after = journal.settled()
  syncs.at(-1)!.finish()
  await expect(after).rejects.toBe(broken)
  expect(failures).toEqual([broken])
  expect(store.events.bounds('s_2').head).toBe(1)
  expect(heard).toEqual([])
  expect(reported).toHaveLength(2)
})

test('a failing entry fails the later entries of its session in that turn, not those of other sessions', () => {
  const { journal, heard, store } = setUp('s_1', 's_2', 's_3')
  const onFailed = (name: string) => (error: unknown) => heard.push(`${name} failed: ${(error as Error).message}`)
  journal.append(entry('s_1', events(1, 1)))
  journal.append(entry('s_2', events(1, 1)))
  journal.append(entry('s_1', events(9, 9), { onFailed: onFailed('9'), runs: [run('r_9', 's_1')] }))
  journal.append(entry('s_gone', events(1, 1), { onFailed: onFailed('gone') }))
  journal.append(entry('s_3', events(1, 2)))
  journal.append(entry('s_1', events(2, 2), { onFailed: onFailed('2') }))
  journal.append(entry('s_2', events(2, 2)))
  journal.flush()
  expect(heard).toEqual([
    '9 failed: session s_1: event 9 where 2 was due',
    'gone failed: session s_gone does not exist',
    '2 failed: session s_1: event 9 where 2 was due',
    's_1 1-1',
    's_2 1-1',
    's_3 1-2',
    's_2 2-2',
  ])
  expect(['s_1', 's_2', 's_3'].map(id => store.events.bounds(id).head)).toEqual([1, 2, 2])
  expect(store.runs.get('r_9')).toBeUndefined()
  journal.append(entry('s_1', events(2, 2)))
  journal.flush()
  expect(store.events.bounds('s_1').head).toBe(2)
})

test('an entry is told of its commit in order, before anything of it is published and before its sync', async () => {
  const { journal, heard, syncs, store } = setUpDelayed('s_1', 's_2')
  const onCommitted = (name: string) => () => {
    heard.push(`${name} committed, ${store.events.bounds('s_1').head} stored`)
  }
  journal.append(entry('s_1', events(1, 1), { durable: true, onCommitted: onCommitted('s_1 1') }))
  journal.append(entry('s_2', events(1, 1), { onCommitted: onCommitted('s_2 1') }))
  journal.append(entry('s_1', events(2, 2), { onCommitted: onCommitted('s_1 2') }))
  expect(heard).toEqual([])
  journal.flush()
  const committed = ['s_1 1 committed, 2 stored', 's_2 1 committed, 2 stored', 's_1 2 committed, 2 stored']
  expect(heard).toEqual([...committed, 's_2 1-1'])
  syncs[0]!.finish()
  await until(() => expect(heard.slice(4)).toEqual(['s_1 1-1', 's_1 2-2']))
})

test('readers see the records of a durable entry once it is published, not when it is committed', async () => {
  const { journal, store, syncs } = setUpDelayed('s_1')
  store.runs.save(run('r_1', 's_1'))
  const seen: unknown[] = []
  const look = () => void seen.push(journal.view.run(store.runs.get('r_1')!.run)?.state)
  const runs = [run('r_1', 's_1', { state: 'done', lastSeq: 1 })]
  journal.append(entry('s_1', events(1, 1), { runs, durable: true, onCommitted: look, onPublished: look }))
  journal.flush()
  expect(seen).toEqual(['running'])
  syncs[0]!.finish()
  await until(() => expect(seen).toEqual(['running', 'done']))
})

test('a callback that appends and flushes keeps the order of the commits', () => {
  const { journal, heard } = setUp('s_1', 's_2')
  journal.append(
    entry('s_1', events(1, 1), {
      onCommitted() {
        heard.push('s_1 1 committed')
        journal.append(entry('s_1', events(2, 2), { onCommitted: () => heard.push('s_1 2 committed') }))
        journal.flush()
      },
    }),
  )
  journal.append(entry('s_2', events(1, 1), { onCommitted: () => heard.push('s_2 1 committed') }))
  journal.flush()
  const committed = ['s_1 1 committed', 's_2 1 committed', 's_1 2 committed']
  expect(heard).toEqual([...committed, 's_1 1-1', 's_2 1-1', 's_1 2-2'])
})

test('an entry that fails is not told of a commit, and its session is told before the effects of other sessions', () => {
  const { journal, heard } = setUp('s_1', 's_2')
  const told = (name: string) => ({
    onCommitted: () => heard.push(`${name} committed`),
    onFailed: () => heard.push(`${name} failed`),
  })
  journal.append(entry('s_2', events(1, 1), told('s_2 1')))
  journal.append(entry('s_1', events(9, 9), told('s_1 9')))
  journal.append(entry('s_1', events(1, 1), told('s_1 1')))
  journal.flush()
  expect(heard).toEqual(['s_1 9 failed', 's_1 1 failed', 's_2 1 committed', 's_2 1-1'])
})

test('acts, events and answers of an entry are stored together or not at all', () => {
  const { journal, store } = setUp('s_1')
  store.processes.save(processOf('s_1', 'p_1'))
  const answer = (key: string) => ({ key, method: 'run.start', paramsHash: 'h', answer: '{}', time: 1 })
  const stored = () => [
    store.events.bounds('s_1').head,
    store.acts.bounds('s_1').newest,
    ['k_1', 'k_2', 'k_3'].filter(key => store.requests.get(key) !== undefined),
  ]
  const failures: unknown[] = []
  const onFailed = (error: unknown) => failures.push((error as Error).message)
  const append = (fields: Parameters<typeof entry>[2], seq = 2) => {
    journal.append(entry('s_1', events(seq, seq), { onFailed, ...fields }))
    journal.flush()
  }
  append({ acts: acts(1, 2), answers: [answer('k_1'), answer('k_2')] }, 1)
  expect(stored()).toEqual([1, 2, ['k_1', 'k_2']])
  append({ acts: acts(3, 3), answers: [answer('k_3')] }, 9)
  append({ acts: acts(4, 4), answers: [answer('k_3')] })
  append({ acts: acts(3, 3), answers: [answer('k_3'), answer('k_1')] })
  expect(failures).toEqual([
    'session s_1: event 9 where 2 was due',
    'session s_1: act 4 where 3 was due',
    expect.stringContaining('UNIQUE constraint failed: requests.key'),
  ])
  expect(stored()).toEqual([1, 2, ['k_1', 'k_2']])
  append({ acts: acts(3, 3), answers: [answer('k_3')] })
  expect(stored()).toEqual([2, 3, ['k_1', 'k_2', 'k_3']])
})

test('after a sync that failed no effect runs any more', async () => {
  const { journal, heard, syncs, reported } = setUpDelayed('s_1', 's_2')
  journal.append(entry('s_1', events(1, 1), { durable: true, onCommitted: () => heard.push('s_1 committed') }))
  journal.flush()
  const broken = new SyncFailed('the disk is broken')
  syncs[0]!.fail(broken)
  await until(() => expect(reported).toEqual(['sync failed', broken]))
  const onCommitted = () => heard.push('s_2 committed')
  journal.append(entry('s_2', events(1, 1), { onCommitted, onFailed: () => heard.push('s_2 failed') }))
  journal.flush()
  expect(heard).toEqual(['s_1 committed', 's_2 failed'])
})

test('a failing entry stores nothing: no event, record or checkpoint', () => {
  const { journal, store } = setUp('s_1')
  store.processes.save(processOf('s_1', 'p_1'))
  const failures: unknown[] = []
  journal.append(
    entry('s_1', [event(1, { process: 'p_1', offset: 5 }), event(2, { process: 'p_gone', offset: 9 })], {
      sessionRecord: session('s_1', { title: 'new' }),
      runs: [run('r_1', 's_1')],
      checkpoint: { process: 'p_1', offset: 9 },
      onFailed: error => failures.push(error),
    }),
  )
  journal.flush()
  expect(failures).toEqual([expect.any(UnknownRecord)])
  expect(store.events.bounds('s_1').head).toBe(0)
  expect(store.processes.get('p_1')?.offset).toBe(0)
  expect(store.sessions.get('s_1')?.title).toBe('')
  expect(store.runs.get('r_1')).toBeUndefined()
})

test('an exception in a publisher or callback is reported and does not stop other deliveries', () => {
  const { store } = tempStore()
  for (const id of ['s_1', 's_2']) store.sessions.add(session(id))
  const heard: string[] = []
  const reported: unknown[] = []
  const fault = (text: string) => {
    throw new Error(text)
  }
  const journal = createJournal(
    store,
    {
      sessionEvents: id => (id === 's_1' ? fault('deaf') : heard.push(id)),
      record: () => fault('no record'),
    },
    { onError: error => reported.push((error as Error).message) },
  )
  const onFailed = () => fault('no patience')
  journal.append(entry('s_1', events(1, 1), { onPublished: () => fault('no ear'), runs: [run('r_1', 's_1')] }))
  journal.append(entry('s_gone', events(1, 1), { onFailed }))
  journal.append(entry('s_2', events(1, 1), { onPublished: () => heard.push('told') }))
  journal.flush()
  expect(heard).toEqual(['s_2', 'told'])
  expect(reported).toEqual(['no patience', 'deaf', 'no record', 'no ear'])
})

test('an entry that a callback flushes is stored at once and published after the earlier entries', () => {
  const { journal, heard, store } = setUp('s_1', 's_2')
  const answer = () => {
    journal.append(entry('s_1', events(3, 3)))
    journal.flush()
    heard.push(`stored ${store.events.bounds('s_1').head}`)
  }
  journal.append(entry('s_1', events(1, 1), { onPublished: answer }))
  journal.append(entry('s_1', events(2, 2)))
  journal.append(entry('s_2', events(1, 1)))
  journal.flush()
  expect(heard).toEqual(['s_1 1-1', 'stored 3', 's_1 2-2', 's_2 1-1', 's_1 3-3'])
})

test('a session can append its end in onFailed, and it follows the stored events', async () => {
  const { journal, heard, store } = setUp('s_1')
  const end = () => {
    journal.append(entry('s_1', [event(store.events.bounds('s_1').head + 1)]))
    journal.flush()
  }
  journal.append(entry('s_1', events(1, 1)))
  journal.append(entry('s_1', events(5, 5), { onFailed: end }))
  journal.flush()
  expect(heard).toEqual(['s_1 1-1', 's_1 2-2'])
})

test('a database lock fails all entries of a turn after one wait, not one wait each', { timeout: 30_000 }, () => {
  const { store, file } = tempStore()
  for (const id of ['s_1', 's_2', 's_3']) store.sessions.add(session(id))
  const other = openSqlite(file)
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const journal = createJournal(store, recorder([]))
  const failures: unknown[] = []
  const fields = { onFailed: (error: unknown) => failures.push(error) }
  for (const id of ['s_1', 's_2', 's_3']) journal.append(entry(id, events(1, 1), fields))
  const before = performance.now()
  journal.flush()
  expect(performance.now() - before).toBeLessThan(9_000)
  expect(failures).toEqual(Array.from({ length: 3 }, () => expect.any(DatabaseBusy)))
  other.exec('ROLLBACK')
  journal.append(entry('s_1', events(1, 1)))
  journal.flush()
  expect(store.events.bounds('s_1').head).toBe(1)
})

interface SetUp {
  journal: Journal
  store: Store
  heard: string[]
  reported: unknown[]
}

function setUp(...sessions: string[]): SetUp {
  const { store } = tempStore()
  return { store, ...journalOver(store, sessions) }
}

interface PendingSync {
  finish(): void
  fail(error: unknown): void
  done: Promise<void>
}

/** The same set-up over a store whose syncs end when the test says so. */
function setUpDelayed(...sessions: string[]): SetUp & { syncs: PendingSync[] } {
  const { store } = tempStore()
  const syncs: PendingSync[] = []
  const delayed: Store = {
    ...store,
    sync() {
      let finish!: () => void
      let fail!: (error: unknown) => void
      const allowed = new Promise<void>((resolve, reject) => {
        finish = resolve
        fail = reject
      })
      const done = allowed.then(() => store.sync())
      syncs.push({ finish, fail, done })
      return done
    },
  }
  return { store, syncs, ...journalOver(delayed, sessions) }
}

function journalOver(store: Store, sessions: string[]): Omit<SetUp, 'store'> {
  for (const id of sessions) store.sessions.add(session(id))
  const heard: string[] = []
  const reported: unknown[] = []
  const journal = createJournal(store, recorder(heard), {
    onError: error => reported.push(error),
    onSyncFailed: error => reported.push('sync failed', error),
  })
  return { journal, heard, reported }
}

function recorder(heard: string[]): Publisher {
  return {
    sessionEvents: (id, rows) => heard.push(`${id} ${rows[0]!.seq}-${rows.at(-1)!.seq}`),
    record: record => heard.push(record.type),
  }
}
