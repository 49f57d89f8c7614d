import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { readJson, writePrivately } from './private-file.ts'

/**
 * The directory of a home's sockets is the home itself if their paths fit into a socket address, which holds 107 bytes
 * on Linux and 103 elsewhere. Otherwise it is `TMPDIR/muxd-<uid>/<hash of the home>`, or the same below `/tmp` if
 * TMPDIR is not set, not absolute or too long. `sockets.json` in the home stores that directory and takes precedence,
 * because TMPDIR differs between shells, services and sudo.
 */
const longestPathBytes = process.platform === 'linux' ? 107 : 103

/** The longest name of a socket. */
const longestName = 'holder.sock'

export const fitsSocket = (path: string): boolean => Buffer.byteLength(path) <= longestPathBytes

/** Returns the directory of a home's sockets. Throws if `sockets.json` cannot be used. */
export function socketDirectory(home: string, environment: NodeJS.ProcessEnv = process.env): string {
  if (fits(home)) return home
  const stored = readJson(storedIn(home)) as { directory?: unknown } | null | undefined
  if (stored === undefined) return chosen(home, environment)
  const directory = stored?.directory
  if (typeof directory === 'string' && isAbsolute(directory) && fits(directory)) return directory
  throw new Error(
    `${storedIn(home)} cannot be used: expected { "directory": <absolute path of at most ${most} bytes> }`,
  )
}

/**
 * Creates the directory of the sockets and stores its path in `sockets.json`, unless it is the home itself. Throws if
 * the directory or its parent is a link, belongs to another user or is open to other users.
 */
export function openSocketDirectory(home: string, directory: string): void {
  if (directory === home) return
  const ofUser = dirname(directory)
  mkdirSync(dirname(ofUser), { recursive: true })
  makePrivate(ofUser)
  makePrivate(directory)
  const isStored = lstatSync(storedIn(home), { throwIfNoEntry: false }) !== undefined
  if (!isStored) writePrivately(storedIn(home), { directory })
}

const most = longestPathBytes - longestName.length - 1

const fits = (directory: string) => fitsSocket(join(directory, longestName))

const storedIn = (home: string) => join(home, 'sockets.json')

function chosen(home: string, environment: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(resolved(home)).digest('hex').slice(0, 16)
  const within = (root: string) => join(root, `muxd-${process.getuid?.() ?? 0}`, hash)
  const { TMPDIR } = environment
  const ofUser = TMPDIR && isAbsolute(TMPDIR) ? within(TMPDIR) : undefined
  return ofUser !== undefined && fits(ofUser) ? ofUser : within('/tmp')
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Returns the directories below `/tmp` for a home whose path is long. They do not depend on the environment. */
export function shortDirectory(home: string): { ofUser: string; ofHome: string } {
  const ofHome = chosen(home, {})
  return { ofUser: dirname(ofHome), ofHome }
}

/**
 * Creates a directory with mode 0700. Throws if the path exists and is a link or no directory, belongs to another
 * user or is open to other users.
 */
export function makePrivate(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const facts = lstatSync(directory)
  const uid = process.getuid?.() ?? facts.uid
  const problem = !facts.isDirectory()
    ? 'is no directory'
    : facts.uid !== uid
      ? `belongs to user ${facts.uid}, expected ${uid}`
      : facts.mode & 0o077
        ? `is open to other users (mode ${(facts.mode & 0o777).toString(8).padStart(4, '0')}, expected 0700)`
        : undefined
  if (problem) throw new Error(`the directory of the sockets, ${directory}, ${problem}`)
}
