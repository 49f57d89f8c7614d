import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { betterSqlite3 } from '../../../daemon/store/sqlite/better-sqlite3.ts'
import { chooseEngine } from '../../../daemon/store/sqlite/choose-engine.ts'
import type { Engine } from '../../../daemon/store/sqlite/engine.ts'
import { SqliteError } from '../../../daemon/store/sqlite/errors.ts'
import { nodeSqlite } from '../../../daemon/store/sqlite/node-sqlite.ts'
import { openSqlite, type Sqlite } from '../../../daemon/store/sqlite/sqlite.ts'
import { DatabaseBusy, DatabaseRefused, DatabaseUnavailable, DiskFull } from '../../../daemon/store/store.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** better-sqlite3 on Node 20, `node:sqlite` on newer Node, both where both are installed. */
function installedEngines(): Engine[] {
  const builtIn = nodeSqlite()
  try {
    const other = betterSqlite3()
    other.open(':memory:').close()
    return builtIn ? [builtIn, other] : [other]
  } catch (error) {
    if (!builtIn) throw error
    return [builtIn]
  }
}

it('chooseEngine selects node:sqlite on Node 22.13 and newer, else better-sqlite3', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > 23 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)
  expect(chooseEngine().name).toBe(isNew ? 'node:sqlite' : 'better-sqlite3')
  expect(chooseEngine()).toBe(installedEngines()[0])
})

describe.each(installedEngines().map(engine => [engine.name, engine] as const))('SQLite with %s', (_name, engine) => {
  let file: string
  let db: Sqlite
  const open = (path = file): Sqlite => {
    const opened = openSqlite(path, engine)
    onTestFinished(() => opened.close())
    return opened
  }
  beforeEach(() => {
    file = join(tempDir(), 'test.db')
    db = open()
    db.exec('CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT, real REAL, bytes BLOB)')
  })
  const insert = (text: string | null) => db.prepare<[string | null]>('INSERT INTO things (text) VALUES (?)').run(text)
  const texts = () => db.value<[], string>('SELECT text FROM things ORDER BY id').all()

  describe('rows and values', () => {
    it('rows are plain objects whose values have the types of their columns', () => {
      const bytes = new Uint8Array([0, 1, 255])
      db.prepare<[number, string, number, Uint8Array]>('INSERT INTO things VALUES (?, ?, ?, ?)').run(7, 'ü', 0.5, bytes)
      db.prepare<[number]>('INSERT INTO things (id) VALUES (?)').run(8)
      const all = db.prepare<[], Record<string, unknown>>('SELECT * FROM things ORDER BY id')
      const [first, second] = all.all() as [Record<string, unknown>, Record<string, unknown>]
      for (const row of [first, all.get()!]) expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
      expect({ ...first, bytes: undefined }).toStrictEqual({ id: 7, text: 'ü', real: 0.5, bytes: undefined })
      expect(first['bytes']).toBeInstanceOf(Uint8Array)
      expect([...(first['bytes'] as Uint8Array)]).toEqual([0, 1, 255])
      expect(second).toStrictEqual({ id: 8, text: null, real: null, bytes: null })
    })

    it('a value statement returns only the first column', () => {
      insert('one')
      insert(null)
      const text = db.value<[number], string | null>('SELECT text, id FROM things WHERE id = ?')
      expect([text.get(1), text.get(2), text.get(3)]).toEqual(['one', null, undefined])
      expect(text.all(1)).toEqual(['one'])
      expect(db.value<[], number>('SELECT count(*) FROM things').get()).toBe(2)
    })

    it('run returns the number of changed rows', () => {
      for (const text of ['a', 'b', 'c']) expect(insert(text)).toBe(1)
      expect(db.prepare<[number]>("UPDATE things SET text = 'x' WHERE id > ?").run(1)).toBe(2)
      expect(db.prepare<[]>('DELETE FROM things WHERE id > 99').run()).toBe(0)
    })

    it('integers up to 2^53 are exact, larger ones are read as the nearest number', () => {
      db.exec(`INSERT INTO things (id) VALUES (1), (${2 ** 53 - 1}), (9007199254740993), (9223372036854775807)`)
      const expected = [1, 2 ** 53 - 1, 2 ** 53, 2 ** 63]
      const id = db.value<[], number>('SELECT id FROM things ORDER BY id')
      expect(id.all()).toEqual(expected)
      const scanned: number[] = []
      id.scan(value => scanned.push(value) > 0)
      expect(scanned).toEqual(expected)
      const row = db.prepare<[string], { id: number }>('SELECT id FROM things WHERE CAST(id AS TEXT) = ?')
      expect(row.get('9007199254740993')).toEqual({ id: 2 ** 53 })
      // The statement reads numbers exactly again.
      expect(row.get('1')).toEqual({ id: 1 })
    })

    it('empty text, text of every plane and text of 5 MB are read back unchanged, as is an empty blob', () => {
      const all = ['', '\n\r\u2028', 'äöü €', '😀', `${'x'.repeat(5_000_000)}😀`]
      for (const text of all) insert(text)
      expect(texts()).toEqual(all)
      const bytes = db.value<[Uint8Array], Uint8Array>('SELECT ?')
      expect(bytes.get(new Uint8Array(0))).toHaveLength(0)
    })

    it('text with invalid bytes is read with replacement characters', () => {
      expect(db.value<[], string>("SELECT CAST(x'41ff42' AS TEXT)").get()).toBe('A\ufffdB')
    })
  })

  describe('parameters', () => {
    it('named parameters come from an object, which may have other keys', () => {
      const sum = db.value<[object], number>('SELECT @one + @two + @one')
      expect(sum.get({ one: 1, two: 2, three: 3 })).toBe(4)
      expect(sum.all({ two: 5, one: 1 })).toEqual([7])
    })

    it('a missing or surplus parameter is rejected, and undefined is bound as null', () => {
      const named = db.value<[object], number>('SELECT @one')
      expect(() => named.get({ two: 2 })).toThrow('Missing named parameter "one"')
      expect(named.get({ one: undefined })).toBe(null)
      const positional = db.value<unknown[], number>('SELECT ? + ?')
      expect(() => positional.get(1)).toThrow(RangeError)
      expect(() => positional.get(1, 2, 3)).toThrow(RangeError)
      expect(positional.get(1, undefined)).toBe(null)
      expect(positional.get(1, 2)).toBe(3)
    })
  })

  describe('scan', () => {
    it('scan stops at the row whose callback returns false or throws, and leaves no open reader', () => {
      db.pragma('journal_mode = WAL')
      for (const text of ['a', 'b', 'c']) insert(text)
      const seen: string[] = []
      const scan = db.value<[], string>('SELECT text FROM things ORDER BY id')
      scan.scan(text => seen.push(text) < 2)
      expect(seen).toEqual(['a', 'b'])
      const failure = new Error('from the visitor')
      expect(() =>
        scan.scan(() => {
          throw failure
        }),
      ).toThrow(failure)
      // An open read would keep the write-ahead log from being truncated.
      expect(open().pragma('wal_checkpoint(TRUNCATE)')).toBe(0)
      scan.scan(text => seen.push(text) > 0)
      expect(seen).toEqual(['a', 'b', 'a', 'b', 'c'])
    })
  })

  describe('pragmas', () => {
    it('pragma() returns the first value, or sets one', () => {
      expect(db.pragma('user_version')).toBe(0)
      expect(db.pragma('user_version = 3')).toBe(undefined)
      expect(db.pragma('user_version')).toBe(3)
      expect(db.pragma('journal_mode = WAL')).toBe('wal')
      expect(db.pragma('integrity_check')).toBe('ok')
    })

    it('a new connection waits five seconds for a lock', () => {
      expect(db.pragma('busy_timeout')).toBe(5_000)
    })
  })

  describe('transactions', () => {
    it('a transaction commits all or nothing and returns the result of its callback', () => {
      expect(db.transaction(() => insert('kept'))).toBe(1)
      const failure = new Error('no')
      expect(() =>
        db.transaction(() => {
          insert('lost')
          throw failure
        }),
      ).toThrow(failure)
      expect(texts()).toEqual(['kept'])
    })

    it('a nested transaction that fails rolls back only its own part', () => {
      db.transaction(() => {
        insert('outer')
        expect(() =>
          db.transaction(() => {
            insert('inner')
            db.transaction(() => insert('innermost'))
            throw new Error('no')
          }),
        ).toThrow('no')
        db.transaction(() => insert('second'))
      })
      expect(texts()).toEqual(['outer', 'second'])
    })

    it('a transaction takes the write lock at once', () => {
      const other = open()
      other.pragma('busy_timeout = 0')
      db.transaction(() => {
        expect(() => other.transaction(() => undefined)).toThrow(DatabaseBusy)
      })
      expect(other.transaction(() => 'free')).toBe('free')
    })

    it('a transaction that SQLite rolled back fails with the first error, and the next one works', () => {
      insert('before')
      db.exec("CREATE TRIGGER undo BEFORE DELETE ON things BEGIN SELECT RAISE(ROLLBACK, 'rolled back'); END")
      expect(() =>
        db.transaction(() => {
          insert('lost')
          db.exec('DELETE FROM things')
        }),
      ).toThrow('rolled back')
      expect(texts()).toEqual(['before'])
      db.transaction(() => insert('kept'))
      expect(texts()).toEqual(['before', 'kept'])
    })

    it('onCommitted is called once for each commit and not for a rollback', () => {
      let commits = 0
      db.onCommitted(() => commits++)
      insert('by itself')
      expect(commits).toBe(1)
      db.transaction(() => {
        insert('one')
        db.transaction(() => insert('two'))
        expect(commits).toBe(1)
      })
      expect(commits).toBe(2)
      expect(() =>
        db.transaction(() => {
          throw new Error('no')
        }),
      ).toThrow('no')
      texts()
      expect(commits).toBe(2)
    })
  })

  describe('errors', () => {
    it('a syntax error or a constraint violation is a SqliteError with its code', () => {
      const thrownBy = (work: () => unknown): unknown => {
        try {
          return work()
        } catch (error) {
          return error
        }
      }
      for (const error of [thrownBy(() => db.prepare('SELEC 1')), thrownBy(() => db.exec('SELEC 1'))]) {
        expect(error).toBeInstanceOf(SqliteError)
        expect(error).toMatchObject({ message: 'near "SELEC": syntax error (SQLITE_ERROR)' })
      }
      insert('one')
      expect(() => db.exec('INSERT INTO things (id) VALUES (1)')).toThrow('(SQLITE_CONSTRAINT_PRIMARYKEY)')
    })

    it("another connection's lock makes reads and writes fail with DatabaseBusy, but not opening", () => {
      db.exec('BEGIN EXCLUSIVE')
      const other = open()
      other.pragma('busy_timeout = 0')
      expect(() => other.exec("INSERT INTO things (text) VALUES ('x')")).toThrow(DatabaseBusy)
      expect(() => other.value('SELECT count(*) FROM things')).toThrow(DatabaseBusy)
      db.close()
      expect(other.value<[], number>('SELECT count(*) FROM things').get()).toBe(0)
    })

    it('close releases the lock despite open statements and can be called twice', () => {
      const statement = db.value<[], number>('SELECT 1')
      expect(statement.get()).toBe(1)
      db.exec('BEGIN EXCLUSIVE')
      db.close()
      db.close()
      expect(open().transaction(() => 'free')).toBe('free')
      expect(() => statement.get()).toThrow(/not open|finalized/)
    })

    it('writing to a full database fails with DiskFull', () => {
      db.pragma(`max_page_count = ${Number(db.pragma('page_count')) + 4}`)
      expect(() => {
        for (;;) insert('x'.repeat(3_000))
      }).toThrow(DiskFull)
      expect(texts().length).toBeGreaterThan(0)
    })

    it('a file that is not a database is rejected as not_muxd and stays unchanged', () => {
      const other = join(tempDir(), 'other')
      writeFileSync(other, 'not a database, '.repeat(200))
      const opened = open(other)
      expect(() => opened.pragma('user_version')).toThrow(
        expect.objectContaining({ constructor: DatabaseRefused, reason: 'not_muxd' }) as Error,
      )
      expect(readFileSync(other, 'utf8')).toBe('not a database, '.repeat(200))
    })

    it('reading a damaged page fails as corrupt, other rows stay readable', () => {
      for (let index = 0; index < 50; index++) insert('x'.repeat(3_000))
      db.close()
      const bytes = readFileSync(file)
      bytes.fill(0xff, 20 * 4_096, 21 * 4_096)
      writeFileSync(file, bytes)
      const damaged = open()
      expect(() => damaged.value('SELECT text FROM things').all()).toThrow(
        expect.objectContaining({ constructor: DatabaseRefused, reason: 'corrupt' }) as Error,
      )
      expect(damaged.value('SELECT text FROM things WHERE id = 1').get()).toHaveLength(3_000)
    })

    it('a missing directory or a directory in place of the file fails as DatabaseUnavailable', () => {
      const missing = join(tempDir(), 'missing', 'test.db')
      expect(() => open(missing).pragma('user_version')).toThrow(DatabaseUnavailable)
      const directory = join(tempDir(), 'directory')
      mkdirSync(directory)
      expect(() => open(directory).pragma('user_version')).toThrow(/directory cannot be used \(SQLITE_CANTOPEN/)
    })

    it('a read-only connection rejects writes, and neither opens nor creates a missing file', () => {
      const reader = engine.open(file, { readOnly: true })
      onTestFinished(() => reader.close())
      expect(() => reader.exec('DROP TABLE things')).toThrow('readonly')
      const directory = tempDir()
      expect(() => engine.open(join(directory, 'missing.db'), { readOnly: true })).toThrow('unable to open')
      expect(readdirSync(directory)).toEqual([])
    })
  })
})

it('creating a database in a read-only directory fails with DatabaseUnavailable', () => {
  const directory = tempDir()
  chmodSync(directory, 0o500)
  const create = () => openSqlite(join(directory, 'test.db')).exec('CREATE TABLE t (a)')
  expect(() => asOwnerOf(directory, create)).toThrow(DatabaseUnavailable)
})

it("SQLite's experimental warning is suppressed, other warnings are printed", () => {
  const engine = new URL('../../../daemon/store/sqlite/choose-engine.ts', import.meta.url).href
  const program = `
    const { chooseEngine } = await import(${JSON.stringify(engine)})
    chooseEngine()
    process.emitWarning('another feature', 'ExperimentalWarning')`
  const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  expect(stderr).toContain('another feature')
  expect(stderr).not.toContain('SQLite')
})

/** Runs `action` as a user who owns the directory and is not root: root may write to any directory. */
function asOwnerOf(directory: string, action: () => void): void {
  const user = process.geteuid!()
  if (user !== 0) return action()
  chownSync(directory, 12_345, 12_345)
  process.seteuid!(12_345)
  try {
    action()
  } finally {
    process.seteuid!(user)
  }
}
