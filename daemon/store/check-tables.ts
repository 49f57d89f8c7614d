import type { Sqlite } from './sqlite/sqlite.ts'

/** Those that are small against the events, which are checked one by one as they are read. */
const tables = ['meta', 'sessions', 'runs', 'approvals', 'processes', 'snapshots', 'requests', 'deletions', 'usage']

/**
 * Looks the tables through with their indexes: where one of these is damaged, a record that is there would not be found.
 * Throws `DatabaseRefused`.
 */
export function checkTables(db: Sqlite): void {
  for (const table of tables) {
    const found = db.pragma(`integrity_check(${table})`)
    if (found !== 'ok') throw db.damage(`${table}: ${String(found)}`)
  }
}
