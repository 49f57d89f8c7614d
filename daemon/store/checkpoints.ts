import { passHookPoint } from '../hook-points.ts'
import type { Sqlite } from './sqlite/sqlite.ts'
import { SyncFailed, type Ballast } from './store.ts'
import type { WalIndex } from './wal-index.ts'

/** Pages in the write-ahead log (4 KB each) after which they are also moved to the database. SQLite's default. */
const checkpointPages = 1_000

/**
 * Moves what the write-ahead log holds to the database when it has become long. SQLite would do so by itself, and pass
 * over every failure: a failed sync would go unheard, and each further commit would try all of it again.
 *
 * While the ballast is given up, its space is for the log alone: a checkpoint would first spend it on the pages of what
 * is stored already, and the terminal events would find none.
 */
export function keepLogShort(
  db: Sqlite,
  index: Pick<WalIndex, 'committedPages'>,
  ballast: Pick<Ballast, 'released'>,
  onSyncFailed: (error: SyncFailed) => void,
): void {
  let due = checkpointPages
  db.pragma('wal_autocheckpoint = 0')
  db.onCommitted(() => {
    if (ballast.released) return
    const pages = index.committedPages()
    if (pages < checkpointPages) due = checkpointPages
    if (pages < due) return
    // Where not all can be moved (somebody reads, the disk is full), not before there is as much again.
    due = pages + checkpointPages
    try {
      db.pragma('wal_checkpoint(PASSIVE)')
      passHookPoint('checkpointed')
    } catch (error) {
      if (error instanceof SyncFailed) onSyncFailed(error)
    }
  })
}
