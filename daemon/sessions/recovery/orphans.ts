import { readdirSync, rmSync } from 'node:fs'
import { removeOtherTemporary } from '../../home/temporary-place.ts'
import { processDirectories } from '../../pty-host/process-files.ts'
import type { SessionContext } from '../session-context.ts'

/**
 * Ends the processes that the pty-host holds without a stored record of a live process: their session was deleted, or a
 * power cut has undone the record. Removes the temporary directories of all other processes and of unknown sessions.
 * Called once, after all known sessions have been taken over.
 */
export function endOrphans({
  store,
  ptyHost,
  home,
  processesDir,
  log,
}: Pick<SessionContext, 'store' | 'ptyHost' | 'home' | 'processesDir' | 'log'>): void {
  const known = new Set(store.processes.live().map(({ id }) => id))
  for (const held of ptyHost.list()) {
    if (known.has(held.id)) continue
    log.warn('a process that belongs to no session is ended', { process: held.id })
    held
      .kill()
      .then(() => held.release())
      .catch((error: unknown) => log.error('a process could not be ended', { process: held.id, error }))
  }
  removeTemporary(processesDir, known)
  removeOtherTemporary(home, store.sessions.ids())
}

/** Removes the temporary directories of all processes except those in `known`, which are alive. */
export function removeTemporary(processesDir: string, known: ReadonlySet<string>): void {
  for (const name of readdirSync(processesDir)) {
    const id = name.replace(/\.(tmp|options)$/, '')
    if (id === name || known.has(id)) continue
    for (const directory of processDirectories(processesDir, id)) rmSync(directory, { recursive: true, force: true })
  }
}
