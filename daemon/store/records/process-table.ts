import { UnknownRecord } from '../sqlite/errors.ts'
import { exactText, originalText } from '../sqlite/exact-text.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'

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
   * The process ends with its run, whose outcome is held back until then. This is decided when it starts. Later changes
   * of the configuration do not matter.
   */
  oneShot: boolean
  /**
   * `seq` of the first event that its output may have given. In rows of older versions: of the `run_started` before it.
   */
  firstSeq: number
  /** The session's `conversationId` when it was started. */
  conversationIdBefore: string | null
  /** Whether its raw log is kept. */
  raw: 'kept' | 'dropped'
  /** Number of frames that it printed; null while its raw log is kept. */
  frames: number | null
  /**
   * The program that derived all its events so far; null if there were several, or one that did not identify itself.
   * Another program may translate the same output differently, and the difference would look like damage.
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
  /** The processes without `endedAt`, oldest first. */
  live(): StoredProcess[]
}

const select = `SELECT processes.id, sessions.id AS session, nonce, pid, started_at AS startedAt, offset,
    cost_usd_before AS costUsdBefore, counter_usd_before AS counterUsdBefore, counter_usd AS counterUsd,
    resumed, one_shot AS oneShot, first_seq AS firstSeq, claude_session_before AS conversationIdBefore, raw, frames,
    translator, ended_at AS endedAt
  FROM processes JOIN sessions ON sessions.number = processes.session`

export function createProcessTable(db: Sqlite): ProcessTable {
  const save = db.prepare<[Row]>(
    `INSERT INTO processes (id, session, nonce, pid, started_at, offset, cost_usd_before, counter_usd_before,
       counter_usd, resumed, one_shot, first_seq, claude_session_before, raw, frames, translator, ended_at)
     SELECT @id, number, @nonce, @pid, @startedAt, @offset, @costUsdBefore, @counterUsdBefore, @counterUsd, @resumed,
       @oneShot, @firstSeq, @conversationIdBefore, @raw, @frames, @translator, @endedAt
     FROM sessions WHERE id = @session
     ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, pid = excluded.pid, started_at = excluded.started_at,
       offset = excluded.offset, cost_usd_before = excluded.cost_usd_before,
       counter_usd_before = excluded.counter_usd_before, counter_usd = excluded.counter_usd,
       resumed = excluded.resumed, one_shot = excluded.one_shot, first_seq = excluded.first_seq,
       claude_session_before = excluded.claude_session_before, raw = excluded.raw,
       frames = excluded.frames, translator = excluded.translator, ended_at = excluded.ended_at`,
  )
  const checkpoint = db.prepare<[number, number, string]>(
    'UPDATE processes SET offset = ?, head = max(head, ?) WHERE id = ?',
  )
  const dropped = db.prepare<[number, string]>(
    "UPDATE processes SET raw = 'dropped', frames = ? WHERE id = ? AND session IN (SELECT number FROM sessions)",
  )
  const get = db.prepare<[string], Row>(`${select} WHERE processes.id = ?`)
  const ofSession = db.prepare<[string], Row>(`${select} WHERE sessions.id = ? ORDER BY processes.number`)
  const live = db.prepare<[], Row>(`${select} WHERE ended_at IS NULL ORDER BY processes.number`)

  return {
    save(process) {
      const row: Row = {
        ...process,
        resumed: Number(process.resumed),
        oneShot: Number(process.oneShot),
        conversationIdBefore: process.conversationIdBefore && exactText(process.conversationIdBefore),
      }
      if (save.run(row) > 0) return
      throw new UnknownRecord(`process ${process.id} is of session ${process.session}, which does not exist`)
    },
    checkpoint(id, offset, head = 0) {
      if (checkpoint.run(offset, head, id) === 0) throw new UnknownRecord(`process ${id} does not exist`)
    },
    dropped: (id, frames) => void dropped.run(frames, id),
    get(id) {
      const row = get.get(id)
      return row && stored(row)
    },
    ofSession: session => ofSession.all(session).map(stored),
    live: () => live.all().map(stored),
  }
}

/** SQLite has no booleans. Earlier versions compressed raw logs, which this one does not read. */
type Row = Omit<StoredProcess, 'resumed' | 'oneShot' | 'raw'> & {
  resumed: number
  oneShot: number
  raw: StoredProcess['raw'] | 'compressed'
}

const stored = (row: Row): StoredProcess => ({
  ...row,
  resumed: row.resumed !== 0,
  oneShot: row.oneShot !== 0,
  conversationIdBefore: row.conversationIdBefore && originalText(row.conversationIdBefore),
  raw: row.raw === 'compressed' ? 'dropped' : row.raw,
})
