import { exactText, originalText } from './exact-text.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import { UnknownRecord, type ProcessTable, type StoredProcess } from './store.ts'

const select = `SELECT processes.id, sessions.id AS session, nonce, pid, started_at AS startedAt, offset,
    cost_usd_before AS costUsdBefore, counter_usd_before AS counterUsdBefore, counter_usd AS counterUsd,
    resumed, one_shot AS oneShot, first_seq AS firstSeq, claude_session_before AS claudeSessionIdBefore, raw, frames,
    translator, ended_at AS endedAt
  FROM processes JOIN sessions ON sessions.number = processes.session`

export function createProcessTable(db: Sqlite): ProcessTable {
  const save = db.prepare<[Row]>(
    `INSERT INTO processes (id, session, nonce, pid, started_at, offset, cost_usd_before, counter_usd_before,
       counter_usd, resumed, one_shot, first_seq, claude_session_before, raw, frames, translator, ended_at)
     SELECT @id, number, @nonce, @pid, @startedAt, @offset, @costUsdBefore, @counterUsdBefore, @counterUsd, @resumed,
       @oneShot, @firstSeq, @claudeSessionIdBefore, @raw, @frames, @translator, @endedAt
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
        claudeSessionIdBefore: process.claudeSessionIdBefore && exactText(process.claudeSessionIdBefore),
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
  claudeSessionIdBefore: row.claudeSessionIdBefore && originalText(row.claudeSessionIdBefore),
  raw: row.raw === 'compressed' ? 'dropped' : row.raw,
})
