import type { Sqlite } from '../../daemon/store/sqlite/sqlite.ts'

/** Makes a database one of schema version 11, or of an earlier one, in which sessions have no acts. */
export function toSchemaBeforeActs(db: Sqlite, version = 11): void {
  db.exec(`DROP TABLE acts;
    ALTER TABLE sessions DROP COLUMN newest_act;
    ALTER TABLE sessions DROP COLUMN first_act;
    ALTER TABLE sessions DROP COLUMN act_bytes`)
  db.pragma(`user_version = ${version}`)
}
