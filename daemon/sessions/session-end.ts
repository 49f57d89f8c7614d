import type { Actor, Session } from '../../protocol/index.ts'
import { removeTemporaryOf } from '../home/temporary-place.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { SyncFailed } from '../store/store.ts'
import type { LiveSession } from './interpreter/live-session.ts'
import { asStored, type LoadedSessions } from './loaded-sessions.ts'
import type { SessionReading } from './session-reading.ts'

/** Closes and deletes sessions. */
export interface SessionEnd {
  /** `sweep`: also ends the processes that the session's processes have left behind. `force`: kills its runs first. */
  close(session: string, options: { force: boolean; sweep: boolean }, by: Actor): Promise<Session>
  delete(session: string, force: boolean, by: Actor): Promise<void>
  /**
   * Deletes a session. Resolves with false, and leaves it alone, if the session is at work, is being deleted or does
   * not exist, or if the daemon is stopping.
   */
  deleteUnused(session: string): Promise<boolean>
}

export function createEnd(
  loaded: LoadedSessions,
  { get, isAtWork }: Pick<SessionReading, 'get' | 'isAtWork'>,
): SessionEnd {
  const { context, deleting, live, waiters } = loaded
  const { journal, store } = context

  function refuseWhileBusy(id: string, force: boolean, what: string) {
    const session = live.get(id)
    if (!session?.busy || force) return
    const run = session.record.lastRun
    throw new RpcError(
      'conflict',
      `session ${id} has a run that has not ended (${run}): cancel it first, or ${what} with force`,
      { run },
    )
  }

  async function cancelAll(id: string, by: Actor) {
    const runs = store.runs.unfinished().filter(({ run }) => run.session === id)
    const session = live.get(id)
    if (!session) return
    const ends = runs.map(({ run }) => waiters.wait(run.run, new AbortController().signal))
    const cancels = runs.map(({ run }) => session.cancel(run.run, by, 'kill', 'the session was ended'))
    await asStored(Promise.all(cancels))
    await Promise.all(ends)
  }

  /** Deletes a session. `end` first ends its runs and its process; calls that name the session fail meanwhile. */
  async function remove(id: string, end?: () => Promise<void>) {
    deleting.add(id)
    try {
      await end?.()
      await endLeftOf(id)
      // Commits the end of the process separately. It may not be stored on a full disk, and then the deletion would
      // fail with it.
      journal.flush()
      loaded.commit({ session: id, deleted: true, durable: true })
      live.get(id)?.drop()
      await journal.settled()
      removeTemporaryOf(context.home, id)
      await context.onDeleted()
    } finally {
      deleting.delete(id)
    }
  }

  /** Ends the left processes of a session, because nothing could find them after its deletion. */
  async function endLeftOf(id: string) {
    journal.flush()
    const { left } = store.sessions.get(id) ?? {}
    if (!left) return
    const ids = store.processes.ofSession(id).map(process => process.id)
    await context.ptyHost.endLeft(ids, left.processes)
  }

  return {
    async close(id, { force, sweep }, by) {
      loaded.stored(id)
      refuseWhileBusy(id, force, 'close it')
      if (force) await cancelAll(id, by)
      await asStored(loaded.load(id).close({ sweep }))
      journal.flush()
      await journal.view.whenPublished(id)
      return get(id)
    },
    async delete(id, force, by) {
      loaded.stored(id)
      refuseWhileBusy(id, force, 'delete it')
      await remove(id, async () => {
        if (force) await cancelAll(id, by)
        await closeForDeletion(live.get(id))
      })
    },
    async deleteUnused(id) {
      if (loaded.isStopping || isAtWork(id) || deleting.has(id) || !store.sessions.get(id)) return false
      await remove(id)
      return true
    },
  }
}

/** Ends the process. Ignores that its end could not be stored: on a full disk, the deletion makes room. */
async function closeForDeletion(session: LiveSession | undefined) {
  try {
    await session?.close()
  } catch (error) {
    if (error instanceof RpcError || error instanceof SyncFailed) throw error
  }
}
