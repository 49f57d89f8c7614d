import type { Approval, Run, Session, Tokens, Workspace } from '../../protocol/index.ts'

/**
 * SQLite behind a few synchronous members. The daemon opens it once, through `open.ts`. Every write may throw
 * `DiskFull`, and `DatabaseBusy` after five seconds of waiting; every call may throw `DatabaseRefused` (`corrupt`).
 */
export interface Store {
  /** Identifies this database's numbering: a `seq` of another epoch has no meaning here. See `epoch.ts`. */
  readonly epoch: string
  readonly sessions: SessionTable
  readonly runs: RunTable
  readonly approvals: ApprovalTable
  readonly processes: ProcessTable
  readonly snapshots: SnapshotTable
  readonly events: EventTable
  readonly requests: RequestTable
  readonly usage: UsageTable
  readonly deletions: DeletionTable
  readonly workspaces: WorkspaceTable
  readonly ballast: Ballast
  /** Does everything in `work` (synchronous) or nothing. Throws `DiskFull` if the disk is the reason. */
  transaction<T>(work: () => T): T
  /**
   * Resolves when everything committed before the call is on the disk. Does not block; calls share a sync. Rejects with
   * `SyncFailed` if the disk refused: from then on nothing is synced or stored any more.
   */
  sync(): Promise<void>
  /** Bytes of the database with its write-ahead log. */
  sizeBytes(): number
  /** Bytes of the pages in use. Deletions reduce this at once; the file shrinks when space is given back. */
  usedBytes(): number
  /**
   * Gives some free pages back to the file system, in a millisecond or so. Returns false when there is nothing (more)
   * to give: then the file has become shorter.
   */
  giveBack(): boolean
  /**
   * Makes room on a full disk for work that frees space: releases the ballast, moves the write-ahead log to the
   * database and gives the log's space back. Space that deletions have freed in the database is given back by
   * `giveBack` and then this.
   */
  makeRoom(): void
  /** `inOrder: false` says that files of the home are still being written and not synced (raw logs). */
  close(how?: { inOrder: boolean }): void
}

/** The disk is full (SQLITE_FULL, ENOSPC, EDQUOT) and the write did not happen. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

/**
 * The disk refused to sync: it is unknown what it holds of the last writes. The daemon must end, and the next one begin
 * with what there is. A repeated sync would succeed without those writes.
 */
export class SyncFailed extends Error {
  override readonly name = 'SyncFailed'
}

/** Another program holds the database's lock. Nothing was written; the same may succeed later. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy'
}

/**
 * The system does not allow use of the database now: too many open files, a read-only file system, no permission. As
 * far as is known, the file is in order. The message names the file and what to do.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

/**
 * The database cannot be used, and is left as it is: `not_muxd` (some other file), `newer` (written by a newer muxd:
 * update this one), `corrupt`. The message names the file and what to do.
 */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused'
  readonly reason: 'not_muxd' | 'newer' | 'corrupt'
  readonly file: string
  constructor(reason: DatabaseRefused['reason'], file: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.file = file
  }
}

/** A call stores or lists relative to a record that does not exist (any more). The message names the record. */
export class UnknownRecord extends Error {
  override readonly name = 'UnknownRecord'
}

/** Disk space held in reserve, so that terminal events can still be stored when the disk is full. */
export interface Ballast {
  /** The space has been released. Until it is restored, only terminal events and deletions should be written. */
  readonly released: boolean
  /** Gives the space to the database. */
  release(): void
  /**
   * Takes the space back if there is room for it twice. Cheap to call often. Returns whether the space is held (again).
   */
  restore(): boolean
}

/** Records to list under another state than the stored one; null leaves the record out. */
export interface Listed {
  states: { id: string; state: string | null }[]
}

export interface RecordFilter {
  session?: string
  state?: string
  listed?: Listed | undefined
  limit: number
  after?: string
}

export interface SessionFilter {
  state?: string
  listed?: Listed | undefined
  labels?: Record<string, string>
  limit: number
  after?: string
}

export interface SessionTable {
  add(session: Session): void
  /** Throws `UnknownRecord` if the session does not exist: a deleted one never comes back. */
  save(session: Session): void
  get(id: string): Session | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: SessionFilter): Session[]
  /**
   * Waiting sessions first, then running ones, then the rest, each by last use. `after` is the `place` of the last one
   * before.
   */
  listByUse(filter: SessionFilter): { session: Session; place: string }[]
  all(): Session[]
  /** The session that has this Claude Code conversation. */
  ofConversation(claudeSessionId: string): Session | undefined
  /** In order of creation. */
  ids(): string[]
  count(): number
  /**
   * Deletes a session with its runs and approvals. From now on readers do not find its processes and events either.
   * Events, and the process rows that name its files, are removed later, through `DeletionTable`.
   */
  delete(id: string): void
}

/** A run as stored: the record of the wire, and what the daemon needs to continue the run. */
export interface StoredRun {
  run: Run
  /** The uuid that its prompt was sent to Claude Code with; null for a run that Claude Code began itself. */
  promptUuid: string | null
}

export interface RunTable {
  save(run: StoredRun): void
  get(id: string): StoredRun | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: RecordFilter): StoredRun[]
  /** Runs that have no terminal event yet, oldest first. */
  unfinished(): StoredRun[]
  countByState(): Record<string, number>
}

/**
 * An approval as stored: the record of the wire, and what the daemon needs to answer Claude Code, also a second time.
 */
export interface StoredApproval {
  approval: Approval
  /** The process that asks, and the id of its request, by which it is answered. */
  process: string
  requestId: string
  /** The answer for Claude Code, as JSON; null while there is none, and if the question was withdrawn. */
  answer: string | null
}

export interface ApprovalTable {
  /** Throws `UnknownRecord` when its session does not exist. */
  save(approval: StoredApproval): void
  get(id: string): StoredApproval | undefined
  /**
   * Newest first (by creation). `after` is the id of the last one on the page before; throws `UnknownRecord` if that is
   * gone.
   */
  list(filter: RecordFilter): StoredApproval[]
  /** Oldest first. */
  ofProcess(process: string): StoredApproval[]
}

/** A Claude Code process of a session, also after its end. `id` names its raw log. */
export interface StoredProcess {
  id: string
  session: string
  nonce: string
  pid: number
  startedAt: number
  /** Raw log offset up to which events have been derived and committed: the checkpoint. */
  offset: number
  /** The session's total cost when the process started: the sum of its results before. */
  costUsdBefore: number
  /**
   * Claude Code's own cost counter when the process started, and its latest known value. They differ from the session's
   * total after a `/clear`.
   */
  counterUsdBefore: number
  counterUsd: number
  /** The process resumed an earlier conversation. */
  resumed: boolean
  /**
   * The process ends with its run, whose outcome is held back until then. This is decided when it starts, whatever the
   * configuration is later.
   */
  oneShot: boolean
  /** `seq` of the `run_started` for which the process was started. Re-reading of its output begins there. */
  firstSeq: number
  /** The session's `claudeSessionId` when it was started. */
  claudeSessionIdBefore: string | null
  /** Whether its raw log is kept. */
  raw: 'kept' | 'dropped'
  /** Number of frames that it printed; null while its raw log is kept. */
  frames: number | null
  /**
   * The program that derived all its events so far; null if there were several, or one that did not identify itself.
   * Another program may translate the same output differently, and cannot tell that from damage.
   */
  translator: string | null
  endedAt: number | null
}

export interface ProcessTable {
  save(process: StoredProcess): void
  /**
   * `head` is the newest event derived so far, stored a second time, so that its loss is found. Throws `UnknownRecord`
   * for a process that was never saved.
   */
  checkpoint(id: string, offset: number, head?: number): void
  /**
   * Stores that the raw log held `frames` frames and is about to be removed. Has no effect after the session was
   * deleted.
   */
  dropped(id: string, frames: number): void
  get(id: string): StoredProcess | undefined
  /** Oldest first. */
  ofSession(session: string): StoredProcess[]
  /** Those without `endedAt`. */
  live(): StoredProcess[]
}

/**
 * The state of a live process's session when its log went up to `seq` and `offset` bytes of output had been read. It
 * only makes taking the process over faster: reading the output from its beginning gives the same state.
 */
export interface StoredSnapshot {
  process: string
  /** The program that wrote it, which is the only one that can read it. */
  build: string
  seq: number
  offset: number
  memory: Uint8Array
}

export interface SnapshotTable {
  /** Replaces the previous snapshot of the process. */
  save(snapshot: StoredSnapshot): void
  /** Undefined if there is none, or if it is damaged. */
  get(process: string): StoredSnapshot | undefined
  delete(process: string): void
}

/**
 * An event as stored. `text` is its JSON, made once; `seq`, `run` and `type` repeat members of it (the columns do not
 * hold them again). `process` and `offset` name the raw bytes that it was derived from; they are null for an event that
 * the daemon or a client caused.
 */
export interface EventRow {
  seq: number
  run: string | null
  type: string
  text: string
  process: string | null
  offset: number | null
}

/**
 * Every event is checked when it is read. A damaged one is replaced by a `log_damaged` with its `seq`, so that the
 * numbering has no hole.
 */
export interface EventTable {
  /**
   * The first row must follow the session's head, and each further row the one before. Throws `UnknownRecord` for an
   * unknown session or process.
   */
  append(session: string, rows: readonly EventRow[]): void
  /** Texts of the events with `seq > after`, in order, up to the one that passes `maxBytes` or the `limit`th. */
  read(session: string, after: number, limit: number, maxBytes: number): string[]
  get(session: string, seq: number): EventRow | undefined
  /** Up to `limit` rows with `seq > after`, in order. Callers read a log in pages. */
  rows(session: string, after: number, limit: number): EventRow[]
  /** First and last seq kept; `{ first: 1, head: 0 }` when there are none. A log is kept whole, or not at all. */
  bounds(session: string): { first: number; head: number }
  /** Bytes that the `count` events after `after` take up, approximately. A thousand events take a millisecond. */
  bytes(session: string, after: number, count: number): number
}

/** The answer to a call that carried a `key`, as JSON. `paramsHash` tells whether another call has the same params. */
export interface KeptAnswer {
  key: string
  method: string
  paramsHash: string
  answer: string
  time: number
}

/** What deleted sessions leave behind. It is removed in small steps, because a million events take a second. */
export interface DeletionTable {
  /** Ids of the processes of deleted sessions whose files still have to be removed. */
  processes(): string[]
  /** Forgets a process whose files are gone. */
  forgetProcess(id: string): void
  /** Removes some events, in a millisecond or so. Returns false when none are left. */
  removeEvents(): boolean
}

/** Answers to calls that carried a `key`. */
export interface RequestTable {
  get(key: string): KeptAnswer | undefined
  /** Throws for a key that is stored already: the first answer stands. */
  save(kept: KeptAnswer): void
  /** Forgets keys older than `time` (ms since epoch). Returns how many. */
  forgetBefore(time: number): number
}

/** The layouts of pages. */
export interface WorkspaceTable {
  save(workspace: Workspace): void
  get(name: string): Workspace | undefined
  /** Ordered by name. */
  all(): Workspace[]
  /** Returns false if there was none. */
  delete(name: string): boolean
}

/** How sums are grouped. A `quarter` is a quarter of an hour, counted from the epoch. */
export type UsageGroup = 'quarter' | 'model' | 'session' | 'run'

/**
 * The usage of one group. Members of groups that were not asked for are absent. An empty `model` is an unknown one. An
 * empty `run` is usage between runs. `runs` counts the different runs of the group.
 */
export interface UsageSum extends Tokens {
  quarter?: number
  model?: string
  session?: string
  run?: string
  costUsd: number
  runs: number
}

/**
 * The usage of runs, by model: a projection of the `cost` events that outlives their session. Of a deleted session it
 * keeps only the id of the session and the ids of its runs.
 */
export interface UsageTable {
  /**
   * Stores the usage that the `cost` events among a session's rows report. Storing the same rows again changes nothing.
   */
  save(session: string, rows: readonly EventRow[]): void
  /** Sums of what was used at `from` (ms since epoch) or later and before `to`, in no order. */
  sums(filter: { from: number; to: number; session?: string; by: readonly UsageGroup[] }): UsageSum[]
  /** Times of the first and the last usage that is kept (ms since epoch); undefined if there is none. */
  bounds(): { first: number; last: number } | undefined
  /** Forgets usage before `time` (ms since epoch), at most `limit` rows of it. Returns how many. */
  forgetBefore(time: number, limit: number): number
}
