import type { Sqlite } from './sqlite.ts'
import type { KeptAnswer, RequestTable } from './store.ts'

export function createRequestTable(db: Sqlite): RequestTable {
  const get = db.prepare<[string], KeptAnswer>(
    'SELECT key, method, params_hash AS paramsHash, answer, time FROM requests WHERE key = ?',
  )
  const save = db.prepare<[KeptAnswer]>(
    `INSERT INTO requests (key, time, method, params_hash, answer) VALUES (@key, @time, @method, @paramsHash, @answer)`,
  )
  const forget = db.prepare<[number]>('DELETE FROM requests WHERE time < ?')

  return {
    get: key => get.get(key),
    save: kept => void save.run(kept),
    forgetBefore: time => forget.run(time),
  }
}
