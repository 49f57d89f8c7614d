import { crc32 } from 'node:zlib'
import { contextOf } from './checksum.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import type { SnapshotTable, StoredSnapshot } from './store.ts'

type Row = StoredSnapshot & { crc: number }

export function createSnapshotTable(db: Sqlite): SnapshotTable {
  const save = db.prepare<[Row]>(
    `INSERT OR REPLACE INTO snapshots (process, build, seq, offset, memory, crc)
     VALUES (@process, @build, @seq, @offset, @memory, @crc)`,
  )
  const get = db.prepare<[string], Row>(
    'SELECT process, build, seq, offset, memory, crc FROM snapshots WHERE process = ?',
  )
  const remove = db.prepare<[string]>('DELETE FROM snapshots WHERE process = ?')
  const checksum = ({ process, build, seq, offset, memory }: StoredSnapshot) =>
    crc32(memory, contextOf(process, build, seq, offset))

  return {
    save: snapshot => void save.run({ ...snapshot, crc: checksum(snapshot) }),
    get(process) {
      const row = get.get(process)
      if (row === undefined) return undefined
      const { crc, ...snapshot } = row
      // A damaged header may turn a column into anything.
      return snapshot.memory instanceof Uint8Array && crc === checksum(snapshot) ? snapshot : undefined
    },
    delete: process => void remove.run(process),
  }
}
