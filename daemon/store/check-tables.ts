import type { Sqlite } from './sqlite/sqlite.ts'

/** The tables that are small compared with the events. Events are checked one by one as they are read. */
const tables = ['meta', 'sessions', 'runs', 'approvals', 'processes', 'snapshots', 'requests', 'deletions', 'usage']

/**
 * Checks the tables and their indexes: with a damaged index, an existing record would not be found. Throws
 * `DatabaseRefused`.
 */
export function checkTables(db: Sqlite): void {
  for (const table of tables) {
    const found = db.pragma(`integrity_check(${table})`)
    if (found !== 'ok') throw db.damage(`${table}: ${String(found)}`)
  }
}
