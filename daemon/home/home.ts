import { accessSync, constants, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DaemonInfo } from '../../protocol/index.ts'
import { readJson, writePrivately } from '../os/private-file.ts'
import { openSocketDirectory, socketDirectory } from '../os/socket-places.ts'
import { codeOf, meaningOf } from '../os/system-error.ts'

/** The paths of everything that muxd keeps on disk, in one directory of mode 0700. */
export interface Home {
  directory: string
  database: string
  /** Directory of the raw logs and other process files. */
  processes: string
  lock: string
  /** Directory of the sockets: the home, unless their paths would be too long (`socket-places.ts`). */
  sockets: string
  socket: string
  ptyHostLock: string
  ptyHostSocket: string
  info: string
  tokens: string
  config: string
  /** Directory of the log files of the daemon and the pty-host. */
  logs: string
}

/** The home directory cannot be used; the message says why and how to repair it. */
export class BadHome extends Error {
  override readonly name = 'BadHome'
}

/** Creates the home if it is missing. Throws `BadHome` if it cannot be used or is open to other users. */
export function openHome(directory: string): Home {
  orBadHome(() => mkdirSync(directory, { recursive: true, mode: 0o700 }), `home ${directory} cannot be made`)
  const facts = statSync(directory)
  const mode = facts.mode & 0o777
  if (mode & 0o077) {
    throw new BadHome(
      `home ${directory} is open to other users (mode ${mode.toString(8).padStart(4, '0')}, expected 0700); ` +
        `to mend it: chmod 700 ${directory}`,
    )
  }
  if (process.getuid && facts.uid !== process.getuid()) {
    throw new BadHome(
      `home ${directory} belongs to user ${facts.uid}, expected ${process.getuid()}; choose another with --home`,
    )
  }
  orBadHome(() => accessSync(directory, constants.W_OK | constants.X_OK), `home ${directory} cannot be written to`)
  const home = homePaths(directory)
  orBadHome(() => mkdirSync(home.processes, { recursive: true, mode: 0o700 }), `${home.processes} cannot be made`)
  openSockets(home)
  return home
}

/** Creates the directory of the sockets if it is missing. Throws `BadHome`. */
export const openSockets = ({ directory, sockets }: Home): void =>
  orBadHome(() => openSocketDirectory(directory, sockets))

function orBadHome<T>(make: () => T, what?: string): T {
  try {
    return make()
  } catch (error) {
    const why = what === undefined ? undefined : meaningOf(codeOf(error))
    const message = why ?? (error as Error).message
    throw new BadHome(what === undefined ? message : `${what}: ${message}`, { cause: error })
  }
}

/** Throws `BadHome` if the path of a home is a file or leads through one. */
export function refuseFile(directory: string): void {
  for (let path = directory; ; path = dirname(path)) {
    const facts = factsOf(path)
    if (facts?.isDirectory() || (!facts && path === dirname(path))) return
    if (facts) {
      throw new BadHome(
        `home ${directory} cannot be used: ${path} is a file, expected a directory; choose another with --home`,
      )
    }
  }
}

function factsOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // The file is further up the path: the caller finds it there.
    if (codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Returns the paths in a home, whether it exists or not. Throws `BadHome` if `sockets.json` cannot be used. */
export function homePaths(directory: string): Home {
  const sockets = orBadHome(() => socketDirectory(directory))
  return {
    directory,
    database: join(directory, 'muxd.db'),
    processes: join(directory, 'processes'),
    lock: join(directory, 'lock'),
    sockets,
    socket: join(sockets, 'muxd.sock'),
    ptyHostLock: join(directory, 'holder.lock'),
    ptyHostSocket: join(sockets, 'holder.sock'),
    info: join(directory, 'daemon.json'),
    tokens: join(directory, 'tokens.json'),
    config: join(directory, 'config.json'),
    logs: join(directory, 'log'),
  }
}

export const writeInfo = (home: Home, info: DaemonInfo): void => writePrivately(home.info, info)

/**
 * Reads `daemon.json`; undefined if it cannot be read. The lock decides whether a daemon runs, the file describes it.
 */
export function readInfo(home: Home): DaemonInfo | undefined {
  try {
    return readJson(home.info) as DaemonInfo | undefined
  } catch {
    return undefined
  }
}

/** Removes `daemon.json` if it still describes `instance`. */
export function removeInfo(home: Home, instance: string): void {
  if (readInfo(home)?.instance === instance) rmSync(home.info, { force: true })
}
