import type { Run, Session } from '../../protocol/index.ts'

/** SQLite behind a few synchronous members. Opened by the daemon, once; `open.ts` makes it. */
export interface Store {
  /** Names this database's numbering: `seq`s of another epoch mean nothing here. Made with the database. */
  readonly epoch: string
  readonly sessions: SessionTable
  readonly runs: RunTable
  readonly processes: ProcessTable
  readonly events: EventTable
  readonly requests: RequestTable
  /** Everything done in `work` or nothing. Throws `DiskFull` where the disk is the reason. */
  transaction<T>(work: () => T): T
  /** Resolves when all that was committed before the call is on the disk. */
  sync(): Promise<void>
  /** Bytes of the database with its write-ahead log. */
  sizeBytes(): number
  close(): void
}

/** The disk is full (SQLITE_FULL, ENOSPC, EDQUOT) and the write did not happen. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

export interface SessionTable {
  save(session: Session): void
  get(id: string): Session | undefined
  /** Newest first (by creation), `after` = id of the last one of the page before. */
  list(filter: { state?: string; labels?: Record<string, string>; limit: number; after?: string }): Session[]
  all(): Session[]
  /** With its runs, processes and events. */
  delete(id: string): void
}

/** A run as stored: the wire's record and what the daemon needs to go on with it. */
export interface StoredRun {
  run: Run
  /** The uuid its prompt was sent to Claude Code with; null for a run that Claude Code began itself. */
  promptUuid: string | null
}

export interface RunTable {
  save(run: StoredRun): void
  get(id: string): StoredRun | undefined
  /** Newest first (by creation), `after` = id of the last one of the page before. */
  list(filter: { session?: string; state?: string; limit: number; after?: string }): StoredRun[]
  /** Runs that have no terminal event yet, oldest first. */
  unfinished(): StoredRun[]
  countByState(): Record<string, number>
}

/** A Claude Code process of a session, also after its end: its raw log is named by `id`. */
export interface StoredProcess {
  id: string
  session: string
  nonce: string
  pid: number
  startedAt: number
  /** Raw log offset up to which events have been derived and committed: the checkpoint. */
  offset: number
  /** The session's total cost when it started: what Claude Code counts on from. */
  costUsdBefore: number
  /** Number of frames (lines) printed by the earlier processes of the session. */
  framesBefore: number
  endedAt: number | null
}

export interface ProcessTable {
  save(process: StoredProcess): void
  checkpoint(id: string, offset: number): void
  get(id: string): StoredProcess | undefined
  /** Oldest first. */
  ofSession(session: string): StoredProcess[]
  /** Those without `endedAt`. */
  live(): StoredProcess[]
}

/** An event as stored: `text` is its JSON, made once; `process` and `offset` say which raw bytes it stems from, null for what the daemon or a client caused. */
export interface EventRow {
  seq: number
  run: string | null
  type: string
  text: string
  process: string | null
  offset: number | null
}

export interface EventTable {
  append(session: string, rows: readonly EventRow[]): void
  /** Texts of the events with `seq > after`, in order, until `maxBytes` is passed or `limit` reached. */
  read(session: string, after: number, limit: number, maxBytes: number): string[]
  get(session: string, seq: number): EventRow | undefined
  /** Rows of a process, in order: for the comparison with what is derived again. */
  ofProcess(session: string, process: string): EventRow[]
  /** First and last seq kept; `{ first: 1, head: 0 }` when there are none. */
  bounds(session: string): { first: number; head: number }
}

/** Answers of calls that carried a `key`. */
export interface RequestTable {
  get(key: string): { method: string; paramsHash: string; answer: string } | undefined
  save(key: string, entry: { method: string; paramsHash: string; answer: string; time: number }): void
  /** Forgets keys older than `time` (ms since epoch). */
  forgetBefore(time: number): number
}
