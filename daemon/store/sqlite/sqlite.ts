import { chooseEngine } from './choose-engine.ts'
import type { Engine, Statement } from './engine.ts'
import { damaged, type DatabaseRefused } from './errors.ts'
import { storeError } from './map-error.ts'

export type { Statement } from './engine.ts'

/** A connection with synchronous statements, whose errors are the store's own classes. */
export interface Sqlite {
  /** A statement whose rows are objects. */
  prepare<Params extends unknown[], Row = never>(sql: string): Statement<Params, Row>
  /** A statement whose rows are the values of their first column. */
  value<Params extends unknown[], Value>(sql: string): Statement<Params, Value>
  exec(sql: string): void
  /** Returns the value of a pragma, or sets it (`name = value`). */
  pragma(text: string): unknown
  /** Commits all that `work` does, or nothing. Takes the write lock at once. Nested calls are savepoints. */
  transaction<T>(work: () => T): T
  /** Sets the function that is called after each commit. A single statement is a commit, too. */
  onCommitted(call: () => void): void
  /** The error for stored data that cannot be read as it was written. */
  damage(what: string): DatabaseRefused
  close(): void
}

const busyTimeoutMs = 5_000

/** Opens or creates the file and reads nothing yet. Waits up to five seconds for another program's lock. */
export function openSqlite(file: string, engine: Engine = chooseEngine()): Sqlite {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw storeError(error, engine.codeOf(error), file)
    }
  }
  const connection = guarded(() => engine.open(file))
  connection.pragma(`busy_timeout = ${busyTimeoutMs}`)
  let depth = 0
  let committed = () => {}
  const writing = <T>(work: () => T): T => {
    const result = guarded(work)
    if (depth === 0) committed()
    return result
  }

  function statement<Params extends unknown[], Row>(sql: string, firstColumn: boolean): Statement<Params, Row> {
    const prepared = guarded(() => connection.prepare<Params, Row>(sql, firstColumn))
    return {
      run: (...params) => writing(() => prepared.run(...params)),
      get: (...params) => guarded(() => prepared.get(...params)),
      all: (...params) => guarded(() => prepared.all(...params)),
      scan: (visit, ...params) => guarded(() => prepared.scan(visit, ...params)),
    }
  }

  const command = (sql: string) => connection.prepare<[], never>(sql, false)
  const outer = { begin: command('BEGIN IMMEDIATE'), commit: command('COMMIT'), undo: [command('ROLLBACK')] }
  const release = command('RELEASE nested')
  const nested = { begin: command('SAVEPOINT nested'), commit: release, undo: [command('ROLLBACK TO nested'), release] }

  function transaction<T>(work: () => T): T {
    const { begin, commit, undo } = depth === 0 ? outer : nested
    begin.run()
    depth += 1
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      try {
        for (const step of undo) step.run()
      } catch {
        // SQLite has rolled back itself, as it does when the disk is full or fails.
      }
      throw error
    } finally {
      depth -= 1
    }
  }

  return {
    prepare: sql => statement(sql, false),
    value: sql => statement(sql, true),
    exec: sql => writing(() => connection.exec(sql)),
    pragma: text => guarded(() => connection.pragma(text)),
    transaction: work => writing(() => transaction(work)),
    onCommitted: call => void (committed = call),
    damage: what => damaged(file, what),
    close: () => connection.close(),
  }
}
