import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DaemonInfo } from '../../../protocol/index.ts'
import { Unavailable } from '../errors.ts'

/** The home directory: `home`, else `MUXD_HOME`, else `$XDG_STATE_HOME/muxd`, else `~/.local/state/muxd`. */
export function homeDirectory(home?: string): string {
  const { MUXD_HOME, XDG_STATE_HOME } = process.env
  return resolve(home ?? (MUXD_HOME || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'muxd')))
}

/** Where the sockets of a home are: elsewhere when its path is too long for them (`sockets.json`). Rejects as below. */
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

/** What the daemon of that home wrote when it began to listen; undefined where none does. Rejects when it cannot be read. */
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
