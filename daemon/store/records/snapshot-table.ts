import { crc32 } from 'node:zlib'
import { contextOf } from '../sqlite/checksum.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'

/**
 * The state of a live process's session when its log went up to `seq` and `offset` bytes of output had been read. It
 * only makes taking the process over faster: reading the output from its beginning gives the same state.
 */
export interface StoredSnapshot {
  process: string
  /** The version of the format of `memory`. Programs of other versions cannot read it. */
  version: string
  /** Newest event and newest act that it includes. */
  seq: number
  acts: number
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

type Row = StoredSnapshot & { crc: number }

export function createSnapshotTable(db: Sqlite): SnapshotTable {
  const save = db.prepare<[Row]>(
    `INSERT OR REPLACE INTO snapshots (process, version, seq, acts, offset, memory, crc)
     VALUES (@process, @version, @seq, @acts, @offset, @memory, @crc)`,
  )
  const get = db.prepare<[string], Row>(
    'SELECT process, version, seq, acts, offset, memory, crc FROM snapshots WHERE process = ?',
  )
  const remove = db.prepare<[string]>('DELETE FROM snapshots WHERE process = ?')
  const checksum = ({ process, version, seq, acts, offset, memory }: StoredSnapshot) =>
    crc32(memory, contextOf(process, version, seq, acts, offset))

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
