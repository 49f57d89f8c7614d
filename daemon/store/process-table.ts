import type { Sqlite } from './sqlite.ts'
import { UnknownRecord, type ProcessTable, type StoredProcess } from './store.ts'

const select = `SELECT processes.id, sessions.id AS session, nonce, pid, started_at AS startedAt, offset,
    cost_usd_before AS costUsdBefore, frames_before AS framesBefore, ended_at AS endedAt
  FROM processes JOIN sessions ON sessions.number = processes.session`

export function createProcessTable(db: Sqlite): ProcessTable {
  const save = db.prepare<[StoredProcess]>(
    `INSERT INTO processes (id, session, nonce, pid, started_at, offset, cost_usd_before, frames_before, ended_at)
     SELECT @id, number, @nonce, @pid, @startedAt, @offset, @costUsdBefore, @framesBefore, @endedAt
     FROM sessions WHERE id = @session
     ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, pid = excluded.pid, started_at = excluded.started_at,
       offset = excluded.offset, cost_usd_before = excluded.cost_usd_before, frames_before = excluded.frames_before,
       ended_at = excluded.ended_at`,
  )
  const checkpoint = db.prepare<[number, string]>('UPDATE processes SET offset = ? WHERE id = ?')
  const get = db.prepare<[string], StoredProcess>(`${select} WHERE processes.id = ?`)
  const ofSession = db.prepare<[string], StoredProcess>(`${select} WHERE sessions.id = ? ORDER BY processes.number`)
  const live = db.prepare<[], StoredProcess>(`${select} WHERE ended_at IS NULL ORDER BY processes.number`)

  return {
    save(process) {
      if (save.run(process) > 0) return
      throw new UnknownRecord(`process ${process.id} is of session ${process.session}, which does not exist`)
    },
    checkpoint(id, offset) {
      if (checkpoint.run(offset, id) === 0) throw new UnknownRecord(`process ${id} does not exist`)
    },
    get: id => get.get(id),
    ofSession: session => ofSession.all(session),
    live: () => live.all(),
  }
}
