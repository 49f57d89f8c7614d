import { rm } from 'node:fs/promises'
import { processFiles } from '../pty-host/process-files.ts'
import type { Log } from '../log/log.ts'
import type { Store } from '../store/store.ts'
import { inSlices } from './in-slices.ts'
import { withRoom } from './with-room.ts'

/**
 * Removes what deleted sessions leave behind: files at once, events in slices; then gives the space back. The work that
 * remains is stored in the database, so a kill at any moment is safe: the next daemon continues.
 */
export interface Reclaimer {
  /** Resolves when the files are gone; the rest follows in the background. */
  reclaim(): Promise<void>
  /** Resolves when all the work that is pending now is done. */
  settled(): Promise<void>
  /** Stops at the next slice. */
  close(): Promise<void>
}

export function createReclaimer(context: { store: Store; processesDir: string; log: Log }): Reclaimer {
  const { store, processesDir, log } = context
  const closing = new AbortController()
  let files = Promise.resolve()
  let rows = Promise.resolve()

  const removeFiles = async () => {
    const processes = store.deletions.processes()
    if (processes.length === 0) return
    // A power cut must not restore a session whose raw logs are gone.
    await store.sync()
    for (const process of processes) {
      if (closing.signal.aborted) return
      await removeFilesOf(processesDir, process)
      await withRoom(store, () => store.deletions.forgetProcess(process))
    }
  }
  const removeRows = async () => {
    // On a full disk, the write-ahead log must not grow with the removals, and the database file must shrink at once.
    const isFull = !store.ballast.restore()
    const step = (work: () => boolean) => () => {
      const more = work()
      if (isFull && store.ballast.released) store.makeRoom()
      return more
    }
    await withRoom(store, () =>
      inSlices(
        step(() => store.deletions.removeEvents()),
        closing.signal,
      ),
    )
    await withRoom(store, () =>
      inSlices(
        step(() => store.giveBack()),
        closing.signal,
      ),
    )
    store.ballast.restore()
  }
  // Most likely the disk was full. The next deletion and the next start try again.
  const failed = (error: unknown) => log.warn('what deleted sessions left behind could not be removed', { error })

  return {
    reclaim() {
      files = files.then(removeFiles).catch(failed)
      rows = Promise.all([files, rows]).then(removeRows).catch(failed)
      return files
    },
    settled: () => rows,
    async close() {
      closing.abort()
      await rows
    },
  }
}

async function removeFilesOf(dir: string, process: string): Promise<void> {
  const { base: _, ...files } = processFiles(dir, process)
  for (const path of Object.values(files)) await rm(path, { recursive: true, force: true })
}
