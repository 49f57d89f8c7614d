import { type BigIntStats, closeSync, openSync, statSync } from 'node:fs'
import type { Home } from './home.ts'
import { codeOf } from '../os/system-error.ts'

/** The home, or the database in it, was removed or replaced while the daemon ran. */
export class HomeLost extends Error {
  override readonly name = 'HomeLost'
}

const intervalMs = 1_000

/**
 * Watches that the home and the database are the files that were opened. What a daemon stores in a file without a name is
 * lost when it ends, and a second daemon could start in its home. `onLost` is called once.
 */
export function watchHome(home: Home, onLost: (error: HomeLost) => void): { close(): void } {
  // Some file systems give a file another number once nobody has it open. SQLite has the database open.
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

/** Undefined where the system does not tell now, for want of memory or descriptors for one. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino }: BigIntStats = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') ? 'missing' : undefined
  }
}
