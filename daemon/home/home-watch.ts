import { type BigIntStats, closeSync, openSync, statSync } from 'node:fs'
import type { Home } from './home.ts'
import { codeOf } from '../os/system-error.ts'

/** The home, or the database in it, was removed or replaced while the daemon ran. */
export class HomeLost extends Error {
  override readonly name = 'HomeLost'
}

const intervalMs = 1_000

/**
 * Checks every second that the paths of the home and the database still lead to the files that were opened. Data in a
 * removed file is lost when the daemon ends, and a second daemon could start in the home. Calls `onLost` once.
 */
export function watchHome(home: Home, onLost: (error: HomeLost) => void): { close(): void } {
  // Some file systems change the inode number of a file that no process has open. SQLite has the database open.
  const directory = openSync(home.directory, 'r')
  const watched = [
    { what: 'the home', path: home.directory },
    { what: 'the database', path: home.database },
  ].map(each => ({ ...each, opened: identityOf(each.path) }))
  const look = () => {
    for (const { what, path, opened } of watched) {
      const found = identityOf(path)
      if (found === undefined || found === opened) continue
      clearInterval(timer)
      const how = found === 'missing' ? 'was removed' : 'was replaced by another'
      return onLost(new HomeLost(`${what} ${path} ${how} while the daemon was running`))
    }
  }
  const timer = setInterval(look, intervalMs)
  timer.unref()
  return {
    close() {
      clearInterval(timer)
      closeSync(directory)
    },
  }
}

/** Undefined if the system cannot report it now, for example because it lacks memory or descriptors. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino }: BigIntStats = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') ? 'missing' : undefined
  }
}
