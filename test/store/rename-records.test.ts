import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checksumOf, contextOf } from '../../daemon/store/sqlite/checksum.ts'
import { chooseEngine } from '../../daemon/store/sqlite/choose-engine.ts'
import type { Engine } from '../../daemon/store/sqlite/engine.ts'
import { openSqlite, type Sqlite } from '../../daemon/store/sqlite/sqlite.ts'
import { renameRecords } from '../../daemon/store/rename-records.ts'
import { prepareSchema } from '../../daemon/store/schema.ts'
import { run, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { toSchemaBeforeActs } from './schema-before-acts.ts'
import { reopen, tempStore } from './temp-store.ts'

/** The schema version before the records got the names of protocol 2. */
const versionBefore = 10

const options = { model: 'large', env: { A: 'b' } }
const of1 = {
  plain: { ...without(session('s_plain')), claudeSessionId: null, claude: {} },
  forked: {
    ...without(session('s_forked')),
    claudeSessionId: 'c-2',
    claude: options,
    forkedFrom: { session: 's_plain', seq: 3, conversation: { claudeSessionId: 'c-1', message: 'm-1' } },
  },
  branch: {
    ...without(session('s_branch')),
    claudeSessionId: null,
    claude: {},
    forkedFrom: { session: 's_x', seq: 1 },
  },
}
const of2 = {
  plain: session('s_plain'),
  forked: session('s_forked', {
    options,
    conversationId: 'c-2',
    forkedFrom: { session: 's_plain', seq: 3, conversation: { conversationId: 'c-1', message: 'm-1' } },
  }),
  branch: session('s_branch', { forkedFrom: { session: 's_x', seq: 1 } }),
}
const queued = run('r_queued', 's_plain', { state: 'queued', position: 0, waitingFor: 'slot' })
const second = run('r_second', 's_plain', { state: 'queued', position: 1, waitingFor: 'session' })

function without({ agent: _a, options: _o, conversationId: _c, ...rest }: ReturnType<typeof session>) {
  return rest
}

/** Creates a database with the records of protocol 1, with and without checksums. Returns its file. */
function databaseOf1(): string {
  const { store, file } = tempStore()
  for (const record of Object.values(of2)) store.sessions.add(record)
  for (const each of [queued, second]) store.runs.save(each)
  const time = Date.now()
  const answers = {
    '"made"\0': ['session.create', of1.plain],
    fork: ['session.fork', of1.forked],
    start: ['run.start', { ...queued.run, waitingFor: 'place' }],
    answer: ['approval.answer', { claude: 'the name of a field of the tool' }],
  } as const
  for (const [key, [method, answer]] of Object.entries(answers))
    store.requests.save({ key, method, paramsHash: 'hash', answer: JSON.stringify(answer), time })
  store.close()

  const db = openSqlite(file)
  const save = db.prepare<[string, number | null, string]>('UPDATE sessions SET record = ?, crc = ? WHERE id = ?')
  for (const record of Object.values(of1)) {
    const text = JSON.stringify(record)
    save.run(text, record === of1.branch ? null : checksumOf(text, contextOf(record.session, 'idle')), record.session)
  }
  const text = JSON.stringify({ ...queued.run, waitingFor: 'place' })
  db.prepare<[string, number]>("UPDATE runs SET record = ?, crc = ? WHERE id = 'r_queued'").run(
    text,
    checksumOf(text, contextOf('r_queued', 'queued', queued.promptUuid)),
  )
  toSchemaBeforeActs(db, versionBefore)
  db.close()
  return file
}

const contentsOf = (db: Sqlite) =>
  [
    'SELECT id, state, record, crc FROM sessions ORDER BY id',
    'SELECT id, state, record, crc FROM runs ORDER BY id',
    'SELECT key, method, answer, crc FROM requests ORDER BY key',
  ].map(sql => db.prepare<[], object>(sql).all())

function contents(file: string) {
  const db = openSqlite(file)
  try {
    return contentsOf(db)
  } finally {
    db.close()
  }
}

describe('a database with the names of protocol 1', () => {
  test('has the names of protocol 2 after it was opened: sessions, queued runs and kept answers', () => {
    const store = reopen(databaseOf1())
    for (const record of Object.values(of2)) expect(store.sessions.get(record.session)).toEqual(record)
    expect(store.sessions.ofConversation('c-2')).toEqual(of2.forked)
    expect(store.runs.get('r_queued')).toEqual(queued)
    expect(store.runs.get('r_second')).toEqual(second)
    const answer = (key: string) => JSON.parse(store.requests.get(key)!.answer) as unknown
    expect(answer('"made"\0')).toEqual(of2.plain)
    expect(answer('fork')).toEqual(of2.forked)
    expect(answer('start')).toEqual(queued.run)
    expect(answer('answer')).toEqual({ claude: 'the name of a field of the tool' })
  })

  test('does not change when its records are renamed once more', () => {
    const file = databaseOf1()
    reopen(file).close()
    const db = openSqlite(file)
    const before = contentsOf(db)
    db.transaction(() => renameRecords(db))
    expect(contentsOf(db)).toEqual(before)
    db.close()
  })

  test('stays as it was if the upgrade ends before its commit, and is upgraded by the next start', () => {
    const file = databaseOf1()
    const before = contents(file)
    const engine = chooseEngine()
    const failing: Engine = {
      ...engine,
      open(...params) {
        const connection = engine.open(...params)
        const pragma = connection.pragma.bind(connection)
        return Object.assign(Object.create(connection) as typeof connection, {
          pragma(text: string) {
            if (text.startsWith('user_version = ')) throw new Error('the power is gone')
            return pragma(text)
          },
        })
      },
    }
    const db = openSqlite(file, failing)
    expect(() => prepareSchema(db, file)).toThrow('the power is gone')
    db.close()
    expect(contents(file)).toEqual(before)
    expect(reopen(file).sessions.get('s_forked')).toEqual(of2.forked)
  })

  test('still reports a damaged record as damaged', () => {
    const file = databaseOf1()
    const db = openSqlite(file)
    db.exec("UPDATE sessions SET record = replace(record, 'large', 'small') WHERE id = 's_forked'")
    db.close()
    expect(() => reopen(file)).toThrow(/the record of session s_forked has changed/)
  })
})

test('a database of the first version, whose records have no checksums, has the names of protocol 2 after it was opened', () => {
  const file = join(tempDir(), 'muxd.db')
  cpSync(fileURLToPath(new URL('../fixtures/home-v1/muxd.db', import.meta.url)), file)
  const before = openSqlite(file)
  const ids = before
    .value<[], string>("SELECT json_extract(record, '$.claudeSessionId') FROM sessions ORDER BY number")
    .all()
  before.close()
  const sessions = reopen(file).sessions.all()
  expect(sessions.map(({ conversationId }) => conversationId)).toEqual(ids)
  expect(ids.filter(id => id !== null).length).toBeGreaterThan(1)
  for (const record of sessions) {
    expect(record).toMatchObject({ agent: 'claude', options: {} })
    expect(record).not.toHaveProperty('claude')
    expect(record).not.toHaveProperty('claudeSessionId')
  }
})
