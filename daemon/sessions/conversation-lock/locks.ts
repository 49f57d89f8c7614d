import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { defaultHome } from '../../config.ts'
import { identify, isLocal } from '../../os/process-identity.ts'
import { holdLock } from '../../store/sqlite/file-lock.ts'
import { type Lock, type DamagedLock, isDamaged, isValid, readLock } from './lock-file.ts'

/** Identifies a conversation among all those of a user. The key is the same in every home. */
export interface ConversationKey {
  /** The agent's configuration directory. */
  config: string
  claudeSessionId: string
}

/**
 * Gives each conversation one owner, over all homes of a user. Claude Code itself lets two processes continue the same
 * conversation, and the turns of one of them are lost. A lock is a small file in a directory that the homes share. It
 * is taken before a process starts and released when that process has ended. A lock whose process has ended does not
 * count. A damaged one does.
 */
export interface ConversationLocks {
  /**
   * Takes a conversation or renews its lock, and resolves with undefined. Resolves with the lock of another home whose
   * process lives, or with a damaged one. A lock of this home never blocks: its one daemon knows its sessions.
   */
  take(key: ConversationKey, lock: Omit<Lock, 'home' | 'holder'>, pid?: number): Promise<Lock | DamagedLock | undefined>
  /** Releases the conversation, if this process holds it. */
  release(key: ConversationKey, process: string): Promise<void>
  /** The lock of another home whose process lives, or a damaged one. */
  ofOthers(key: ConversationKey): Promise<Lock | DamagedLock | undefined>
  /**
   * Removes locks of any home whose process has ended, and drafts of killed daemons. Resolves with the number of locks.
   */
  removeStale(): Promise<number>
}

/** A draft becomes a lock at once. One this old belongs to a daemon that was killed meanwhile. */
const draftMs = 60 * 60_000

export const locksDirectory = (environment: NodeJS.ProcessEnv): string =>
  join(dirname(defaultHome(environment)), 'muxd-claims')

export function createConversationLocks({ directory, home }: { directory: string; home: string }): ConversationLocks {
  const fileOf = ({ config, claudeSessionId }: ConversationKey) => {
    const key = `${resolved(config)}\0${claudeSessionId}`
    return join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.json`)
  }

  const inTheWay = async (file: string): Promise<Lock | DamagedLock | undefined> => {
    const lock = readLock(file)
    if (!lock || (!isDamaged(lock) && lock.home === home)) return undefined
    return (await isValid(lock)) ? lock : undefined
  }

  /** One at a time over all daemons: if two find the same stale lock, one takes it over. */
  const replace = async (file: string, draft: string): Promise<Lock | DamagedLock | undefined> => {
    const unlock = await locked(join(directory, 'lock'))
    try {
      const other = await inTheWay(file)
      if (!other) renameSync(draft, file)
      return other
    } finally {
      unlock()
    }
  }

  const removeIfStale = async (file: string): Promise<number> => {
    const unlock = await locked(join(directory, 'lock'))
    try {
      const lock = readLock(file)
      // A process in another container cannot be seen.
      if (!lock || isDamaged(lock) || !isLocal(lock.holder) || (await isValid(lock))) return 0
      rmSync(file, { force: true })
      return 1
    } finally {
      unlock()
    }
  }

  return {
    async take(key, lock, pid = process.pid) {
      const holder = await identify(pid)
      // It has ended already.
      if (!holder) return undefined
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const file = fileOf(key)
      const draft = `${file}.${nanoid(8)}`
      writeFileSync(draft, JSON.stringify({ ...lock, home, holder, ...key }), { mode: 0o600, flush: true })
      try {
        if (linked(draft, file)) return undefined
        return await replace(file, draft)
      } finally {
        rmSync(draft, { force: true })
      }
    },
    async release(key, processId) {
      const file = fileOf(key)
      if (!existsSync(file)) return
      // Its process is gone, so another may be about to take the file over.
      const unlock = await locked(join(directory, 'lock'))
      try {
        const lock = readLock(file)
        if (lock && !isDamaged(lock) && lock.home === home && lock.process === processId) rmSync(file, { force: true })
      } finally {
        unlock()
      }
    },
    ofOthers: key => inTheWay(fileOf(key)),
    async removeStale() {
      let removed = 0
      for (const name of existsSync(directory) ? readdirSync(directory) : []) {
        const file = join(directory, name)
        if (name.endsWith('.json')) removed += await removeIfStale(file)
        else if (/\.json\.[\w-]+$/.test(name) && isOlder(file, draftMs)) rmSync(file, { force: true })
      }
      return removed
    },
  }
}

/** Creates the file whole and at once; false if it exists. */
function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Held only while a lock file is read and written. */
async function locked(file: string): Promise<() => void> {
  for (;;) {
    const unlock = holdLock(file)
    if (unlock) return unlock
    await delay(5)
  }
}

function isOlder(file: string, ms: number): boolean {
  const facts = statSync(file, { throwIfNoEntry: false })
  return facts !== undefined && Date.now() - facts.mtimeMs > ms
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
