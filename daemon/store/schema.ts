import { makeActsOfEvents } from './log/acts-of-events.ts'
import { DatabaseRefused } from './sqlite/errors.ts'
import { renameRecords } from './rename-records.ts'
import type { Sqlite } from './sqlite/sqlite.ts'

/** "muxd" in ASCII: identifies the file in SQLite's header. */
const applicationId = 0x6d757864

/**
 * SQL, or a function that reads outside a transaction and returns what to write in one: SQLite refuses to commit a
 * transaction that met a damaged page, even if the rest is in order.
 */
type Migration = string | ((db: Sqlite) => () => void)

/**
 * One step for each schema version; `user_version` is the number of steps taken. A step that has been released is never
 * changed: the next one changes the schema.
 *
 * Numbers stand for ids inside the database, and give the order of creation. The key of an event (`place`) is one
 * integer, session number * 2^32 + seq. Compared with a key of two columns, appending is 1.4 times as fast and events
 * over 1 KB need half the space, because SQLite keeps rows of an integer key whole on a page up to 4 KB.
 */
const migrations: readonly Migration[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE sessions (
     number INTEGER PRIMARY KEY CHECK (number < 2097152), -- places stay below 2^53
     id TEXT NOT NULL UNIQUE,
     state TEXT NOT NULL,
     record TEXT NOT NULL);
   CREATE INDEX sessions_by_state ON sessions (state);

   CREATE TABLE runs (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     session INTEGER NOT NULL,
     state TEXT NOT NULL,
     prompt_uuid TEXT,
     record TEXT NOT NULL);
   CREATE INDEX runs_by_session ON runs (session);
   CREATE INDEX runs_by_state ON runs (state);

   CREATE TABLE processes (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     session INTEGER NOT NULL,
     nonce TEXT NOT NULL,
     pid INTEGER NOT NULL,
     started_at INTEGER NOT NULL,
     offset INTEGER NOT NULL,
     cost_usd_before REAL NOT NULL,
     counter_usd_before REAL NOT NULL,
     counter_usd REAL NOT NULL,
     resumed INTEGER NOT NULL,
     ended_at INTEGER);
   CREATE INDEX processes_by_session ON processes (session);
   CREATE INDEX processes_live ON processes (number) WHERE ended_at IS NULL;

   CREATE TABLE events (
     place INTEGER PRIMARY KEY,
     process INTEGER,
     offset INTEGER,
     text TEXT NOT NULL);

   CREATE TABLE requests (
     key TEXT PRIMARY KEY,
     time INTEGER NOT NULL,
     method TEXT NOT NULL,
     params_hash TEXT NOT NULL,
     answer TEXT NOT NULL) WITHOUT ROWID;
   CREATE INDEX requests_by_time ON requests (time);`,

  // Computes where re-reading begins for processes that may still need it: the `run_started` before their first event.
  `ALTER TABLE processes ADD COLUMN first_seq INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE processes ADD COLUMN claude_session_before TEXT;
   ALTER TABLE processes ADD COLUMN raw TEXT NOT NULL DEFAULT 'kept';
   UPDATE processes SET
     first_seq = coalesce((
       SELECT max(place) % 4294967296 FROM events
       WHERE place > processes.session << 32 AND place < coalesce(
           (SELECT min(place) FROM events AS own WHERE own.process = processes.number
             AND place > processes.session << 32 AND place < (processes.session + 1) << 32),
           (processes.session + 1) << 32)
         AND json_extract(text, '$.type') = 'run_started'), 1),
     claude_session_before = CASE resumed WHEN 1 THEN (
       SELECT json_extract(record, '$.claudeSessionId') FROM sessions WHERE sessions.number = processes.session) END
   WHERE ended_at IS NULL;

   -- Checksums, null in rows of before; and the newest event's seq a second time.
   ALTER TABLE events ADD COLUMN crc INTEGER;
   ALTER TABLE sessions ADD COLUMN crc INTEGER;
   ALTER TABLE runs ADD COLUMN crc INTEGER;
   ALTER TABLE requests ADD COLUMN crc INTEGER;
   ALTER TABLE processes ADD COLUMN head INTEGER NOT NULL DEFAULT 0;`,

  `-- Numbers of sessions that were deleted and of which rows are left, and the highest ever given: none is given again.
   CREATE TABLE deletions (session INTEGER PRIMARY KEY);
   ALTER TABLE processes ADD COLUMN frames INTEGER;`,

  `CREATE TABLE approvals (
     number INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     session INTEGER NOT NULL,
     state TEXT NOT NULL,
     process TEXT NOT NULL,
     request_id TEXT NOT NULL,
     answer TEXT,
     record TEXT NOT NULL,
     crc INTEGER NOT NULL);
   CREATE INDEX approvals_by_session ON approvals (session);
   CREATE INDEX approvals_by_process ON approvals (process);
   CREATE INDEX approvals_by_state ON approvals (state);`,

  `CREATE TABLE workspaces (name TEXT PRIMARY KEY, record TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;`,

  `-- What was used: a row for each cost event and model, with ids instead of numbers, for it outlives its session. Of
   -- what ran before there are the runs' records, which do not tell the models.
   CREATE TABLE usage (
     place INTEGER NOT NULL,
     model TEXT NOT NULL,
     time INTEGER NOT NULL,
     session TEXT NOT NULL,
     run TEXT NOT NULL,
     cost_usd REAL NOT NULL,
     input INTEGER NOT NULL,
     output INTEGER NOT NULL,
     cache_creation INTEGER NOT NULL,
     cache_read INTEGER NOT NULL,
     PRIMARY KEY (place, model)) WITHOUT ROWID;
   CREATE INDEX usage_by_time ON usage (time);
   CREATE INDEX usage_by_session ON usage (session, time);
   INSERT OR IGNORE INTO usage
     SELECT (session << 32) + (record ->> 'lastSeq'), '', record ->> 'endedAt', record ->> 'session', id,
       result ->> 'costUsd', result ->> '$.tokens.input', result ->> '$.tokens.output',
       result ->> '$.tokens.cacheCreation', result ->> '$.tokens.cacheRead'
     FROM (SELECT *, record -> 'result' AS result FROM runs WHERE json_valid(record))
     WHERE result ->> 'costUsd' > 0 OR result ->> '$.tokens.output' > 0;`,

  `CREATE TABLE snapshots (
     process TEXT PRIMARY KEY,
     build TEXT NOT NULL,
     seq INTEGER NOT NULL,
     offset INTEGER NOT NULL,
     memory BLOB NOT NULL,
     crc INTEGER NOT NULL);`,

  `-- The time of the last use: of older sessions that of the newest run, or of the last change.
   ALTER TABLE sessions ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sessions ADD COLUMN urgency INTEGER
     GENERATED ALWAYS AS (CASE state WHEN 'waiting' THEN 2 WHEN 'running' THEN 1 ELSE 0 END) VIRTUAL;
   UPDATE sessions SET used_at = coalesce(
     (SELECT max(coalesce(record ->> 'endedAt', record ->> 'startedAt')) FROM runs
      WHERE runs.session = sessions.number AND json_valid(record)),
     record ->> 'updatedAt', 0)
   WHERE json_valid(record);
   CREATE INDEX sessions_by_use ON sessions (urgency, used_at, number);`,

  `-- The program that derived all events of the process so far; null where it was another, or several.
   ALTER TABLE processes ADD COLUMN translator TEXT;`,

  `-- Whether the process ends with its run, and the outcome of the run waits for that.
   ALTER TABLE processes ADD COLUMN one_shot INTEGER NOT NULL DEFAULT 0;`,

  // The names of protocol 2.
  db => () => renameRecords(db),

  `-- Decisions, by the session and their number, in the order of the log: see \`act-table.ts\`. A session's row counts them.
   CREATE TABLE acts (
     key INTEGER PRIMARY KEY,
     time INTEGER NOT NULL,
     process TEXT,
     offset INTEGER,
     act TEXT NOT NULL,
     crc INTEGER NOT NULL);
   ALTER TABLE sessions ADD COLUMN newest_act INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sessions ADD COLUMN first_act INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE sessions ADD COLUMN act_bytes INTEGER NOT NULL DEFAULT 0;

   -- A snapshot names the version of what it holds, and the newest act in it. Those of earlier programs are of no use.
   DROP TABLE snapshots;
   CREATE TABLE snapshots (
     process TEXT PRIMARY KEY,
     version TEXT NOT NULL,
     seq INTEGER NOT NULL,
     acts INTEGER NOT NULL,
     offset INTEGER NOT NULL,
     memory BLOB NOT NULL,
     crc INTEGER NOT NULL);`,

  makeActsOfEvents,
]

/**
 * Creates the tables in an empty file, or updates a file of an older muxd. Throws `DatabaseRefused` for any other file.
 */
export function prepareSchema(db: Sqlite, file: string): void {
  if (isEmpty(db)) {
    // Lets deleted space be given back later. Must come before anything is written.
    db.pragma('auto_vacuum = INCREMENTAL')
  } else if (db.pragma('application_id') !== applicationId) {
    throw new DatabaseRefused('not_muxd', file, `${file} is a database of another program, not of muxd`)
  }
  refuseNewer(db, file)
  db.pragma('journal_mode = WAL')
  for (const [index, step] of migrations.entries()) {
    if (index < (db.pragma('user_version') as number)) continue
    const write = typeof step === 'string' ? () => db.exec(step) : step(db)
    db.transaction(() => {
      write()
      db.pragma(`application_id = ${applicationId}`)
      db.pragma(`user_version = ${index + 1}`)
    })
  }
}

function isEmpty(db: Sqlite): boolean {
  const objects = db.value<[], number>('SELECT count(*) FROM sqlite_schema').get()
  return objects === 0 && db.pragma('application_id') === 0 && db.pragma('user_version') === 0
}

function refuseNewer(db: Sqlite, file: string): void {
  const version = db.pragma('user_version') as number
  if (version <= migrations.length) return
  throw new DatabaseRefused(
    'newer',
    file,
    `${file} has schema version ${version}, this muxd knows versions up to ${migrations.length}: update muxd`,
  )
}
