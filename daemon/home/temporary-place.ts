import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './home.ts'
import { makePrivate, shortDirectory } from '../os/socket-places.ts'

/**
 * `TMPDIR` of a session's processes. It is the session's: Claude Code names files in it to the model, and the next process
 * of the conversation has to find them. Its path is short, so that a socket below it fits into an address: in the home, or
 * in `/tmp/muxd-<uid>/<hash of the home>` where the path of the home is long.
 */
export const temporaryOf = (home: Pick<Home, 'directory'>, session: string): string =>
  join(placeOf(home).directory, nameOf(session))

/** Makes it where it is missing. Throws where the place below `/tmp` is a link, or is open to others. */
export function openTemporary(home: Pick<Home, 'directory'>, session: string): string {
  for (const parent of placeOf(home).parents) makePrivate(parent)
  const directory = temporaryOf(home, session)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return directory
}

export const removeTemporaryOf = (home: Pick<Home, 'directory'>, session: string): void =>
  rmSync(temporaryOf(home, session), { recursive: true, force: true })

/** Removes those of all sessions but these. */
export function removeOtherTemporary(home: Pick<Home, 'directory'>, sessions: readonly string[]): void {
  const known = new Set(sessions.map(nameOf))
  const { directory } = placeOf(home)
  for (const name of namesIn(directory))
    if (!known.has(name)) rmSync(join(directory, name), { recursive: true, force: true })
}

/** What is left of 107 bytes is for the names of what a program makes below. */
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
