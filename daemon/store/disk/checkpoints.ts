import { passHookPoint } from '../../hook-points.ts'
import { SyncFailed } from '../sqlite/errors.ts'
import type { Sqlite } from '../sqlite/sqlite.ts'
import type { Ballast } from './ballast.ts'
import type { WalIndex } from './wal-index.ts'

/**
 * Number of pages (4 KB each) in the write-ahead log at which they are also moved to the database. SQLite's default.
 */
const checkpointPages = 1_000

/**
 * Moves the pages of the write-ahead log to the database when the log has become long. SQLite's automatic checkpoints
 * ignore every failure: a failed sync would go unnoticed, and each further commit would try the whole checkpoint again.
 *
 * While the ballast is released, its space is for the log alone. A checkpoint would first spend it on pages of what is
 * stored already, and leave none for the terminal events.
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
    // If not all pages can be moved (a reader is active, the disk is full), the next attempt waits for
    // `checkpointPages` more.
    due = pages + checkpointPages
    try {
      db.pragma('wal_checkpoint(PASSIVE)')
      passHookPoint('checkpointed')
    } catch (error) {
      if (error instanceof SyncFailed) onSyncFailed(error)
    }
  })
}
