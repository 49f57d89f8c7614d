import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './home.ts'
import { makePrivate, shortDirectory } from '../os/socket-places.ts'

/**
 * Returns `TMPDIR` of a session's processes. It belongs to the session, because Claude Code tells the model the names
 * of files in it, and the next process of the conversation must find them. Its path is short enough for sockets below
 * it: it is in the home, or in `/tmp/muxd-<uid>/<hash of the home>` if the path of the home is long.
 */
export const temporaryOf = (home: Pick<Home, 'directory'>, session: string): string =>
  join(placeOf(home).directory, nameOf(session))

/**
 * Creates the temporary directory of a session if it is missing, and returns its path. Throws if its parent below
 * `/tmp` is a link, belongs to another user or is open to other users.
 */
export function openTemporary(home: Pick<Home, 'directory'>, session: string): string {
  for (const parent of placeOf(home).parents) makePrivate(parent)
  const directory = temporaryOf(home, session)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return directory
}

export const removeTemporaryOf = (home: Pick<Home, 'directory'>, session: string): void =>
  rmSync(temporaryOf(home, session), { recursive: true, force: true })

/** Removes the temporary directories of all sessions except `sessions`. */
export function removeOtherTemporary(home: Pick<Home, 'directory'>, sessions: readonly string[]): void {
  const known = new Set(sessions.map(nameOf))
  const { directory } = placeOf(home)
  for (const name of namesIn(directory))
    if (!known.has(name)) rmSync(join(directory, name), { recursive: true, force: true })
}

/** The longest path of a temporary directory in the home. It leaves 47 of a socket path's 107 bytes to programs. */
const longestBytes = 60

const nameOf = (session: string) => createHash('sha256').update(session).digest('hex').slice(0, 12)

function placeOf(home: Pick<Home, 'directory'>): { directory: string; parents: string[] } {
  const inHome = join(home.directory, 'tmp')
  if (Buffer.byteLength(join(inHome, nameOf(''))) <= longestBytes) return { directory: inHome, parents: [] }
  const { ofUser, ofHome } = shortDirectory(home.directory)
  return { directory: join(ofHome, 'tmp'), parents: [ofUser, ofHome] }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
