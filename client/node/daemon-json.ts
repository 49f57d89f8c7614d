import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { DaemonInfo } from '../../protocol/index.ts'

/** The home directory: `home`, else `MUXD_HOME`, else `$XDG_STATE_HOME/muxd`, else `~/.local/state/muxd`. */
export function homeDirectory(home?: string): string {
  const { MUXD_HOME, XDG_STATE_HOME } = process.env
  return resolve(home ?? (MUXD_HOME || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'muxd')))
}

/** What the daemon of that home wrote when it began to listen; undefined where none does. */
export async function readDaemonInfo(home: string): Promise<DaemonInfo | undefined> {
  try {
    return JSON.parse(await readFile(join(home, 'daemon.json'), 'utf8')) as DaemonInfo
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
