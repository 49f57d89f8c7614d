import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import type { EventRow, Store } from '../../../daemon/store/store.ts'
import { approval, event, processOf, run, session } from '../../support/records.ts'
import { toSchemaBeforeActs } from '../schema-before-acts.ts'
import { reopen, tempStore } from '../temp-store.ts'

const by = { client: 'c_1', name: 'test' }
const failure = { code: 'unknown', title: 'title', detail: '', retryable: false }
const answer = { behavior: 'deny', message: 'no', interrupt: true }

test('a home of the schema before gets the acts of its live processes from their events, once', () => {
  const { store, file } = tempStore()
  const limits = { timeoutMs: 1_000 }
  store.sessions.add(session('s_1'))
  store.sessions.add(session('s_2'))
  store.runs.save(run('r_1', 's_1', { limits }))
  store.runs.save(run('r_2', 's_1'))
  store.runs.save({ ...run('r_3', 's_1'), promptUuid: null })
  store.processes.save(processOf('s_1', 'p_old', { endedAt: 5 }))
  const launch = { conversationIdBefore: 'c-1', costUsdBefore: 0.1, counterUsdBefore: 1, resumed: true }
  store.processes.save(processOf('s_1', 'p_1', { firstSeq: 3, ...launch }))
  store.processes.save(processOf('s_2', 'p_2', { endedAt: 5 }))
  store.approvals.save({ ...approval('a_1', 's_1'), answer: JSON.stringify(answer) })
  store.approvals.save(approval('a_2', 's_1'))
  const log = createLog(store)
  log.add('run_queued', 'r_1', { prompt: 'hello', origin: by })
  log.add('cancel_requested', 'r_0', { by, mode: 'kill' })
  log.add('run_started', 'r_1', { prompt: 'hello', origin: by })
  log.add('session_init', 'r_1', {}, 100)
  log.add('approval_requested', 'r_1', {}, 200)
  log.add('approval_resolved', 'r_1', { approval: 'a_1', decision: 'deny', by, message: 'no' })
  log.add('approval_resolved', 'r_1', { approval: 'a_2', decision: 'withdrawn' })
  log.add('approval_resolved', 'r_1', { approval: 'a_3', decision: 'withdrawn' }, 300)
  log.add('limit_reached', 'r_1', { limit: 'timeoutMs', value: 1_000 })
  log.add('cancel_requested', 'r_1', { by, reason: 'slow', mode: 'interrupt' })
  log.add('cancel_escalated', 'r_1', { step: 'sigint' })
  log.add('cancelled', 'r_1', {}, 400)
  log.add('run_started', 'r_2', { prompt: 'next', origin: by })
  log.add('run_started', 'r_3', { prompt: '', origin: {} }, 500)
  log.add('failed', 'r_2', { failure })
  log.add('interrupted', 'r_3', { reason: 'lost' })
  log.add('cancelled', 'r_4', {})
  toSchemaBefore(store, file)

  const upgraded = reopen(file)
  const at = (offset: number) => ({ process: 'p_1', offset })
  expect(actsOf(upgraded, 's_1')).toEqual([
    [1, 3, null, { act: 'queued', run: 'r_1', promptUuid: 'uuid of r_1', prompt: 'hello', limits, by }],
    [2, 3, null, { act: 'started', run: 'r_1' }],
    [
      3,
      3,
      null,
      {
        act: 'process_begun',
        process: 'p_1',
        nonce: 'nonce',
        run: 'r_1',
        limits,
        launch: { claudeSessionId: 'c-1', costUsd: 0.1, counterUsd: 1, resumed: true },
        oneShot: false,
      },
    ],
    [4, 6, at(200), { act: 'resolved', approval: 'a_1', resolution: { decision: 'deny', by, message: 'no', answer } }],
    [5, 7, at(200), { act: 'resolved', approval: 'a_2', resolution: { decision: 'withdrawn', answer: null } }],
    [6, 9, at(300), { act: 'limit', run: 'r_1', reached: { limit: 'timeoutMs', value: 1_000 } }],
    [7, 10, at(300), { act: 'cancel', run: 'r_1', by, mode: 'interrupt', reason: 'slow' }],
    [8, 11, at(300), { act: 'escalated', run: 'r_1', step: 'sigint' }],
    [9, 13, at(400), { act: 'queued', run: 'r_2', promptUuid: 'uuid of r_2', prompt: 'next', by }],
    [10, 13, at(400), { act: 'started', run: 'r_2' }],
    [11, 15, at(500), { act: 'ended', run: 'r_2', cause: 'refused', failure }],
    [12, 16, at(500), { act: 'ended', run: 'r_3', cause: 'lost', reason: 'lost' }],
    [13, 17, at(500), { act: 'ended', run: 'r_4', cause: 'unsent' }],
  ])
  expect(upgraded.acts.bounds('s_1')).toEqual({ first: 1, newest: 13 })
  expect(upgraded.acts.bounds('s_2')).toEqual({ first: 1, newest: 0 })
  upgraded.acts.append('s_1', [{ n: 14, time: 18, at: null, act: '{"act":"used"}' }])
  upgraded.close()
  expect(actsOf(reopen(file), 's_1')).toHaveLength(14)
})

/** A store with a live process whose run a client cancels. */
function cancelledRun() {
  const { store, file } = tempStore()
  store.sessions.add(session('s_1'))
  store.runs.save(run('r_1', 's_1'))
  store.processes.save(processOf('s_1', 'p_1'))
  const log = createLog(store)
  log.add('run_started', 'r_1', { prompt: 'hello', origin: by })
  log.add('cancel_requested', 'r_1', { by, mode: 'interrupt' })
  return { store, file, log }
}

test('where an event of a live process cannot be read, the schema step goes on without it', () => {
  const { store, file, log } = cancelledRun()
  log.add('cancel_requested', 'r_1', { by, mode: 'kill' })
  toSchemaBefore(store, file, "UPDATE events SET text = 'kill' WHERE place % 4294967296 = 2")
  const names = actsOf(reopen(file), 's_1').map(([, , , act]) => [(act as { act: string }).act])
  expect(names.flat()).toEqual(['queued', 'started', 'process_begun', 'cancel'])
})

test('a damaged page of events does not prevent the schema step', () => {
  const { store, file } = cancelledRun()
  toSchemaBefore(store, file)
  const bytes = readFileSync(file)
  const page = Math.floor(bytes.indexOf('"type":"cancel_requested"') / 4096) * 4096
  writeFileSync(file, bytes.fill(0xff, page, page + 8))
  expect(reopen(file).acts.bounds('s_1')).toEqual({ first: 1, newest: 0 })
})

/** Appends events of the session `s_1` whose time is their `seq`, with an `offset` those of the process `p_1`. */
function createLog(store: Store) {
  let seq = 0
  return {
    add(type: string, ofRun: string, body: object, offset?: number) {
      seq += 1
      const text = JSON.stringify({ seq, time: seq, run: ofRun, type, ...body })
      const source: Partial<EventRow> = offset === undefined ? {} : { process: 'p_1', offset }
      store.events.append('s_1', [event(seq, { type, run: ofRun, text, ...source })])
    },
  }
}

/** Closes a store and makes its file one of the schema before that of acts. */
function toSchemaBefore(store: Store, file: string, change = ''): void {
  store.close()
  const db = openSqlite(file)
  toSchemaBeforeActs(db)
  db.exec(change)
  db.close()
}

const actsOf = (store: Store, id: string) =>
  Array.from(store.acts.read(id, 0), ({ n, time, at, act }) => [n, time, at, JSON.parse(act) as unknown])
