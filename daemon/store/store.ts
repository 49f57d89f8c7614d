import type { Approval, Run, Session, Tokens, Workspace } from '../../protocol/index.ts'

/**
 * SQLite behind a few synchronous members. Opened by the daemon, once; `open.ts` makes it. Every write may throw
 * `DiskFull`, and `DatabaseBusy` after five seconds of waiting; every call may throw `DatabaseRefused` (`corrupt`).
 */
export interface Store {
  /** Names this database's numbering: `seq`s of another epoch mean nothing here. See `epoch.ts`. */
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
  /** Everything done in `work` (synchronous) or nothing. Throws `DiskFull` where the disk is the reason. */
  transaction<T>(work: () => T): T
  /**
   * Resolves when all that was committed before the call is on the disk. Does not block; calls share a sync. Rejects
   * with `SyncFailed` when the disk refused: from then on nothing is synced or stored any more.
   */
  sync(): Promise<void>
  /** Bytes of the database with its write-ahead log. */
  sizeBytes(): number
  /** Bytes of the pages that hold something: what deletions make less at once, and the file when space is given back. */
  usedBytes(): number
  /**
   * Gives some free pages back to the file system, in a millisecond or so. False when there is nothing (more) to give:
   * then the file has become shorter.
   */
  giveBack(): boolean
  /**
   * For what frees space on a full disk: gives up the ballast, moves the write-ahead log to the database and gives the
   * log's space back. Space that deletions have freed in the database is given back by `giveBack` and then this.
   */
  makeRoom(): void
  /** `inOrder: false` where something of the home is still written to and not synced (raw logs). */
  close(how?: { inOrder: boolean }): void
}

/** The disk is full (SQLITE_FULL, ENOSPC, EDQUOT) and the write did not happen. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

/**
 * The disk refused to sync: what of the last writes it holds, nobody knows. The daemon must end, and another begin with
 * what there is. Tried again, a sync would succeed without them.
 */
export class SyncFailed extends Error {
  override readonly name = 'SyncFailed'
}

/** Another program holds the database's lock. Nothing was written; the same may succeed later. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy'
}

/**
 * The system does not let the database be used now: too many open files, a read-only file system, no permission. Nothing
 * is wrong with the file as far as is known. The message names the file and what to do.
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

/** Something is to be stored or listed relative to a record that does not exist (any more): its message names it. */
export class UnknownRecord extends Error {
  override readonly name = 'UnknownRecord'
}

/** Disk space kept back, so that terminal events can still be stored when the disk is full. */
export interface Ballast {
  /** It has been given up: only what must be stored (terminal events, deletions) should be written until it is restored. */
  readonly released: boolean
  /** Gives the space to the database. */
  release(): void
  /** Takes the space back if there is room for it twice. Cheap to call often. Answers whether it is held (again). */
  restore(): boolean
}

/** Records that are listed under another state than the stored one; null: not at all. */
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
  /** Throws `UnknownRecord` where it is not there: one that was deleted never comes back. */
  save(session: Session): void
  get(id: string): Session | undefined
  /** Newest first (by creation), `after` = id of the last one of the page before: `UnknownRecord` if it is gone. */
  list(filter: SessionFilter): Session[]
  /** Waiting ones first, then running ones, then the rest, by last use; `after` = `place` of the last one before. */
  listByUse(filter: SessionFilter): { session: Session; place: string }[]
  all(): Session[]
  /** The one that has this conversation of Claude Code's. */
  ofConversation(claudeSessionId: string): Session | undefined
  /** In the order of their creation. */
  ids(): string[]
  count(): number
  /**
   * With its runs, approvals, processes and events, for every reader from now on. Events and what names its files are not removed
   * yet: that is `DeletionTable`'s part.
   */
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
  /** Newest first (by creation), `after` = id of the last one of the page before: `UnknownRecord` if it is gone. */
  list(filter: RecordFilter): StoredRun[]
  /** Runs that have no terminal event yet, oldest first. */
  unfinished(): StoredRun[]
  countByState(): Record<string, number>
}

/** An approval as stored: the wire's record and what the daemon needs to answer Claude Code, also a second time. */
export interface StoredApproval {
  approval: Approval
  /** Of which process it is the question, and by what id it is answered. */
  process: string
  requestId: string
  /** What Claude Code is told, as JSON; null as long as nothing is, and where the question was withdrawn. */
  answer: string | null
}

export interface ApprovalTable {
  /** Throws `UnknownRecord` when its session does not exist. */
  save(approval: StoredApproval): void
  get(id: string): StoredApproval | undefined
  /** Newest first (by creation), `after` = id of the last one of the page before: `UnknownRecord` if it is gone. */
  list(filter: RecordFilter): StoredApproval[]
  /** Oldest first. */
  ofProcess(process: string): StoredApproval[]
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
  /** The session's total cost when it started: the sum of its results before. */
  costUsdBefore: number
  /** Claude Code's own cost counter when it started, and as last heard of: they differ from the session's total after a `/clear`. */
  counterUsdBefore: number
  counterUsd: number
  /** It took up an earlier conversation. */
  resumed: boolean
  /** It ends with its run, whose outcome is kept back until then: decided when it starts, whatever the configuration is later. */
  oneShot: boolean
  /** `seq` of the `run_started` for which it was started: where a re-reading of its output begins. */
  firstSeq: number
  /** The session's `claudeSessionId` when it was started. */
  claudeSessionIdBefore: string | null
  /** What has become of its raw log. */
  raw: 'kept' | 'dropped'
  /** How many frames it printed; null while its raw log is kept. */
  frames: number | null
  /**
   * The program that derived all its events so far; null where several did, or one that did not say. Another one may
   * translate the same output otherwise: it cannot tell that from damage.
   */
  translator: string | null
  endedAt: number | null
}

export interface ProcessTable {
  save(process: StoredProcess): void
  /**
   * `head`: the newest event derived so far, kept a second time, so that its loss is found. Throws `UnknownRecord` for a
   * process that was never saved.
   */
  checkpoint(id: string, offset: number, head?: number): void
  /** Its raw log held so many frames and is about to be removed. No effect after its session was deleted. */
  dropped(id: string, frames: number): void
  get(id: string): StoredProcess | undefined
  /** Oldest first. */
  ofSession(session: string): StoredProcess[]
  /** Those without `endedAt`. */
  live(): StoredProcess[]
}

/**
 * What the session of a live process remembered of it when its log went up to `seq` and `offset` bytes of output had
 * been read. A help for who takes the process over, and no more: the same comes of reading the output from its beginning.
 */
export interface StoredSnapshot {
  process: string
  /** The program that wrote it, the only one that can read it. */
  build: string
  seq: number
  offset: number
  memory: Uint8Array
}

export interface SnapshotTable {
  /** In the place of the one before. */
  save(snapshot: StoredSnapshot): void
  /** Undefined where there is none, also where it is damaged. */
  get(process: string): StoredSnapshot | undefined
  delete(process: string): void
}

/**
 * An event as stored: `text` is its JSON, made once, of which `seq`, `run` and `type` repeat members (the columns do
 * not hold them again); `process` and `offset` say which raw bytes it stems from, null for what the daemon or a client
 * caused.
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
 * Every event is checked when it is read. In the place of one that is damaged comes a `log_damaged` with its `seq`, so
 * that the numbering has no hole.
 */
export interface EventTable {
  /** The first row must follow the session's head, and each the one before. `UnknownRecord` for session or process. */
  append(session: string, rows: readonly EventRow[]): void
  /** Texts of the events with `seq > after`, in order, up to the one that passes `maxBytes` or the `limit`th. */
  read(session: string, after: number, limit: number, maxBytes: number): string[]
  get(session: string, seq: number): EventRow | undefined
  /** Up to `limit` rows with `seq > after`, in order: a log is gone through in pages. */
  rows(session: string, after: number, limit: number): EventRow[]
  /** First and last seq kept; `{ first: 1, head: 0 }` when there are none. A log is kept whole, or not at all. */
  bounds(session: string): { first: number; head: number }
  /** What the `count` events behind `after` take up, about: a thousand cost a millisecond. */
  bytes(session: string, after: number, count: number): number
}

/** The answer of a call that carried a `key`, as JSON; `paramsHash` tells whether another call is the same. */
export interface KeptAnswer {
  key: string
  method: string
  paramsHash: string
  answer: string
  time: number
}

/** What deleted sessions leave behind: removed in small steps, for a million events are a second's work. */
export interface DeletionTable {
  /** Ids of their processes, whose files are still to be removed. */
  processes(): string[]
  /** The files of the process are gone. */
  forgetProcess(id: string): void
  /** Removes some events, in a millisecond or so. False when none are left. */
  removeEvents(): boolean
}

/** Answers of calls that carried a `key`. */
export interface RequestTable {
  get(key: string): KeptAnswer | undefined
  /** Throws for a key that is kept already: the first answer stands. */
  save(kept: KeptAnswer): void
  /** Forgets keys older than `time` (ms since epoch). Answers how many. */
  forgetBefore(time: number): number
}

/** How the panes of pages lie. */
export interface WorkspaceTable {
  save(workspace: Workspace): void
  get(name: string): Workspace | undefined
  /** By name. */
  all(): Workspace[]
  /** False when there was none. */
  delete(name: string): boolean
}

/** What sums are told apart by; a `quarter` is a quarter of an hour since the epoch. */
export type UsageGroup = 'quarter' | 'model' | 'session' | 'run'

/**
 * What was used in one group; members of groups that were not asked for are absent. An empty `model` is one that nobody
 * knows, an empty `run` none: it was used between runs. `runs` counts the different runs of the group.
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
 * What runs have used, by model: a projection of the `cost` events, which outlives their session. Of that it keeps its
 * id and those of its runs, and nothing else.
 */
export interface UsageTable {
  /** Takes what the `cost` events among a session's rows tell; again the same, where they are there already. */
  save(session: string, rows: readonly EventRow[]): void
  /** What was used at `from` (ms since epoch) or later, and before `to`, in no order. */
  sums(filter: { from: number; to: number; session?: string; by: readonly UsageGroup[] }): UsageSum[]
  /** Times of the first and the last that is kept; undefined when there is none. */
  bounds(): { first: number; last: number } | undefined
  /** Forgets what was used before `time`, at most `limit` rows of it. Answers how many. */
  forgetBefore(time: number, limit: number): number
}
