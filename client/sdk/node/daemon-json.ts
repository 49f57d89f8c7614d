import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DaemonInfo } from '../../../protocol/index.ts'
import { Unavailable } from '../errors.ts'

/**
 * Returns the absolute path of the home directory: `home`, else `MUXD_HOME`, else `$XDG_STATE_HOME/muxd`, else
 * `~/.local/state/muxd`.
 */
export function homeDirectory(home?: string): string {
  const { MUXD_HOME, XDG_STATE_HOME } = process.env
  return resolve(home ?? (MUXD_HOME || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'muxd')))
}

/**
 * Returns the directory of a home's sockets: the home itself, or the one in `sockets.json` if the home's path is too
 * long for sockets. Rejects with `Unavailable` if `sockets.json` cannot be read.
 */
export async function socketDirectory(home: string): Promise<string> {
  const file = join(home, 'sockets.json')
  try {
    const { directory } = JSON.parse(await readFile(file, 'utf8')) as { directory?: unknown }
    if (typeof directory !== 'string') throw new Error('the directory is missing')
    return directory
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return home
    throw new Unavailable(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Reads `daemon.json`, which the daemon of a home writes when it listens. Resolves with undefined if the file does not
 * exist. Rejects with `Unavailable` if it cannot be read.
 */
export async function readDaemonInfo(home: string): Promise<DaemonInfo | undefined> {
  const file = join(home, 'daemon.json')
  try {
    const info = JSON.parse(await readFile(file, 'utf8')) as DaemonInfo | null
    if (typeof info?.url !== 'string' || typeof info.token !== 'string') throw new Error('url or token is missing')
    return info
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Unavailable(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
