import { checksumOf, contextOf, isSound } from '../sqlite/checksum.ts'
import { exactText } from '../sqlite/exact-text.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'

/** The answer to a call that carried a `key`, as JSON. `paramsHash` tells whether another call has the same params. */
export interface KeptAnswer {
  key: string
  method: string
  paramsHash: string
  answer: string
  time: number
}

/** Answers to calls that carried a `key`. */
export interface RequestTable {
  get(key: string): KeptAnswer | undefined
  /** Throws for a key that is stored already: the first answer stands. */
  save(kept: KeptAnswer): void
  /** Forgets keys older than `time` (ms since epoch). Returns how many. */
  forgetBefore(time: number): number
}

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
