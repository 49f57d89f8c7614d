import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { isLive, type ProcessIdentity } from '../../os/process-identity.ts'

/** The owner of a conversation: a session of some muxd, and the process that it runs or is about to start. */
export interface Lock {
  home: string
  session: string
  /** muxd's id of the agent's process. */
  process: string
  /** That process once it exists, until then the daemon that starts it. The lock is valid while this process lives. */
  holder: ProcessIdentity
}

/**
 * A lock file that exists and cannot be read. Its owner is unknown and may be alive, so it blocks the conversation
 * until somebody removes the file. Lock files are written whole and synced, so neither a killed daemon nor a power cut
 * leaves such a file.
 */
export interface DamagedLock {
  file: string
  why: string
}

export const isDamaged = (lock: Lock | DamagedLock): lock is DamagedLock => 'why' in lock

const LockFile = Compile(
  Type.Object({
    home: Type.String(),
    session: Type.String(),
    process: Type.String(),
    holder: Type.Object({ pid: Type.Integer(), started: Type.String(), domain: Type.String() }),
  }),
)

/** Returns undefined only if the file does not exist. */
export function readLock(file: string): Lock | DamagedLock | undefined {
  let lock: unknown
  try {
    lock = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return { file, why: (error as Error).message }
  }
  return LockFile.Check(lock) ? lock : { file, why: 'it does not name a process' }
}

/** Whether the lock still counts. */
export const isValid = async (lock: Lock | DamagedLock): Promise<boolean> =>
  isDamaged(lock) || (await isLive(lock.holder))
