import type { Sqlite } from './sqlite/sqlite.ts'

/**
 * Checks the tables and their indexes: with a damaged index, an existing record would not be found. Throws
 * `DatabaseRefused`. Leaves out the events, which take up most of the database, and the acts: each is checked when it
 * is read, so that damage to it concerns its session alone.
 */
export function checkTables(db: Sqlite): void {
  const tables = db.value<[], string>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('events', 'acts')",
  )
  for (const table of tables.all()) {
    const found = db.pragma(`integrity_check(${table})`)
    if (found !== 'ok') throw db.damage(`${table}: ${String(found)}`)
  }
}
