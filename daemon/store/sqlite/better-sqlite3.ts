import { createRequire } from 'node:module'
import type Database from 'better-sqlite3'
import type { Engine } from './engine.ts'

let engine: Engine | undefined

/**
 * Returns the package better-sqlite3, which an installation with an older Node has (`sqlite-node20/`). Throws without
 * it.
 */
export const betterSqlite3 = (): Engine =>
  (engine ??= createEngine(createRequire(import.meta.url)('#better-sqlite3') as typeof Database))

const createEngine = (Class: typeof Database): Engine => ({
  name: 'better-sqlite3',
  open(file, { readOnly } = { readOnly: false }) {
    const database = new Class(file, { timeout: 0, readonly: readOnly })
    return {
      prepare<Params extends unknown[], Row>(sql: string, firstColumn: boolean) {
        const statement = database.prepare<unknown[], Row>(sql)
        if (firstColumn) statement.pluck()
        return {
          run: (...params: Params) => statement.run(...params).changes,
          get: (...params: Params) => statement.get(...params),
          all: (...params: Params) => statement.all(...params),
          scan(visit: (row: Row) => boolean, ...params: Params) {
            for (const row of statement.iterate(...params)) if (!visit(row)) break
          },
        }
      },
      exec: sql => void database.exec(sql),
      pragma: text => database.pragma(text, { simple: true }),
      close: () => void database.close(),
    }
  },
  codeOf(error) {
    if (error instanceof Class.SqliteError) return error.code
    // better-sqlite3 checks this itself, before it calls SQLite.
    return error instanceof TypeError && error.message.includes('directory does not exist')
      ? 'SQLITE_CANTOPEN'
      : undefined
  },
})
