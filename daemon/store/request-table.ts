import type { Sqlite } from './sqlite.ts'
import type { RequestTable } from './store.ts'

export function createRequestTable(db: Sqlite): RequestTable {
  const get = db.prepare<[string], { method: string; paramsHash: string; answer: string }>(
    'SELECT method, params_hash AS paramsHash, answer FROM requests WHERE key = ?',
  )
  const save = db.prepare<[string, number, string, string, string]>(
    'INSERT INTO requests (key, time, method, params_hash, answer) VALUES (?, ?, ?, ?, ?)',
  )
  const forget = db.prepare<[number]>('DELETE FROM requests WHERE time < ?')

  return {
    get: key => get.get(key),
    save(key, { method, paramsHash, answer, time }) {
      save.run(key, time, method, paramsHash, answer)
    },
    forgetBefore: time => forget.run(time),
  }
}
