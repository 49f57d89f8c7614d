/** An implementation of SQLite. What differs between implementations stays behind this interface. */
export interface Engine {
  name: 'node:sqlite' | 'better-sqlite3'
  /** Opens or creates the file, without a busy timeout. Reads nothing yet: another program may hold the lock. */
  open(file: string, options?: { readOnly: boolean }): Connection
  /** The extended result code of an error by its name, for example `SQLITE_IOERR_FSYNC`; undefined: not from SQLite. */
  codeOf(error: unknown): string | undefined
}

/** A connection as an engine provides it: its errors are the engine's own, and it has no transactions. */
export interface Connection {
  /** `firstColumn`: a row is the value of its first column, else an object. */
  prepare<Params extends unknown[], Row>(sql: string, firstColumn: boolean): Statement<Params, Row>
  exec(sql: string): void
  /** The first column of the first row that the pragma returns. */
  pragma(text: string): unknown
  /** Does nothing when called again. */
  close(): void
}

export interface Statement<Params extends unknown[], Row> {
  /** Number of rows changed. */
  run(...params: Params): number
  get(...params: Params): Row | undefined
  all(...params: Params): Row[]
  /** Row by row until `visit` returns false; loads nothing beyond that row. `visit` must not write. */
  scan(visit: (row: Row) => boolean, ...params: Params): void
}
