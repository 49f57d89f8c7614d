import { checksumOf, contextOf, isSound } from './checksum.ts'
import { exactText } from './exact-text.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import type { KeptAnswer, RequestTable } from './store.ts'

type Row = Omit<KeptAnswer, 'key'> & { crc: number | null }

export function createRequestTable(db: Sqlite): RequestTable {
  const get = db.prepare<[string], Row>(
    'SELECT method, params_hash AS paramsHash, answer, time, crc FROM requests WHERE key = ?',
  )
  const save = db.prepare<[KeptAnswer & Row]>(
    `INSERT INTO requests (key, time, method, params_hash, answer, crc)
     VALUES (@key, @time, @method, @paramsHash, @answer, @crc)`,
  )
  const forget = db.prepare<[number]>('DELETE FROM requests WHERE time < ?')
  const context = ({ key, method, paramsHash, time }: KeptAnswer) => contextOf(key, method, paramsHash, time)

  return {
    get(key) {
      const row = get.get(exactText(key))
      if (row === undefined) return undefined
      const { crc, ...rest } = row
      const kept = { key, ...rest }
      if (!isSound(crc, kept.answer, context(kept))) throw db.damage(`the answer kept under ${key} has changed`)
      return kept
    },
    save: kept => void save.run({ ...kept, key: exactText(kept.key), crc: checksumOf(kept.answer, context(kept)) }),
    forgetBefore: time => forget.run(time),
  }
}
