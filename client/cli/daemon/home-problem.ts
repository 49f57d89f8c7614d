import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Why a home cannot be used, and how to solve it. */
export interface HomeProblem {
  detail: string
  fix: string
}

/** A daemon needs about this many free bytes to start. */
const startBytes = 64 * 1024
const another = 'choose another with --home'

/** Returns the problem that keeps a daemon from using a home, or undefined. Changes nothing. */
export async function homeProblem(home: string): Promise<HomeProblem | undefined> {
  let facts
  try {
    facts = await stat(home)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return problemOfParent(home, dirname(home))
    return { detail: `home ${home} cannot be used: ${meaningOf(code) ?? (error as Error).message}`, fix: another }
  }
  if (!facts.isDirectory()) return { detail: `home ${home} is a file, expected a directory`, fix: another }
  const mode = facts.mode & 0o777
  if (process.getuid && facts.uid !== process.getuid()) {
    return { detail: `home ${home} belongs to user ${facts.uid}, expected ${process.getuid()}`, fix: another }
  }
  if (mode & 0o077) {
    const shown = mode.toString(8).padStart(4, '0')
    return { detail: `home ${home} is open to other users (mode ${shown}, expected 0700)`, fix: `chmod 700 ${home}` }
  }
  const refusal = await refusalOf(home)
  if (refusal !== undefined) return { detail: `home ${home} cannot be written to: ${refusal}`, fix: another }
  return undefined
}

/** Returns the problem of a home whose disk is full. A daemon still starts there as long as it can free its ballast. */
export async function diskProblem(home: string): Promise<HomeProblem | undefined> {
  const { bavail, bsize } = await statfs(home)
  if (bavail * bsize >= startBytes) return undefined
  return {
    detail: `the disk of ${home} is full: ${bavail * bsize} bytes are free`,
    fix: 'delete sessions or run muxd gc, which both work on a full disk, or remove other files',
  }
}

async function problemOfParent(home: string, parent: string): Promise<HomeProblem | undefined> {
  try {
    const facts = await stat(parent)
    const refusal = facts.isDirectory() ? await refusalOf(parent) : meaningOf('ENOTDIR')
    return refusal === undefined ? undefined : { detail: `home ${home} cannot be made: ${refusal}`, fix: another }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && parent !== dirname(parent)) return problemOfParent(home, dirname(parent))
    return { detail: `home ${home} cannot be made: ${meaningOf(code) ?? (error as Error).message}`, fix: another }
  }
}

async function refusalOf(directory: string): Promise<string | undefined> {
  try {
    await access(directory, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return meaningOf((error as NodeJS.ErrnoException).code) ?? (error as Error).message
  }
}

function meaningOf(code: string | undefined): string | undefined {
  const meanings: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is a file, expected a directory',
    ENOSPC: 'the disk is full',
    EIO: 'the disk reports an error',
  }
  return code !== undefined && code in meanings ? `${meanings[code]} (${code})` : undefined
}
