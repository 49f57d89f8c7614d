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
import { type Claim, type DamagedClaim, isDamaged, isValid, readClaim } from './lock-file.ts'

/** A conversation of Claude Code's, among all that a user has: two homes mean the same one by it. */
export interface ConversationKey {
  /** Claude Code's configuration directory. */
  config: string
  claudeSessionId: string
}

/**
 * One owner for each conversation, over all homes of a user: Claude Code itself lets two processes continue the same
 * conversation, and the turns of one of them are lost. A claim is a small file in a directory that the homes share. It
 * is taken before a process is started and released when that process has ended. A claim whose process has ended does
 * not count; a damaged one does.
 */
export interface Claims {
  /**
   * Takes a conversation, or renews the claim: then `undefined`. Resolves with the claim of another home whose process
   * lives, or with a damaged one. Claims of this home are never in the way: its daemon knows what it does.
   */
  take(
    key: ConversationKey,
    claim: Omit<Claim, 'home' | 'holder'>,
    pid?: number,
  ): Promise<Claim | DamagedClaim | undefined>
  /** Releases it, if it is this process's. */
  release(key: ConversationKey, process: string): Promise<void>
  /** The claim of another home whose process lives, or a damaged one. */
  ofOthers(key: ConversationKey): Promise<Claim | DamagedClaim | undefined>
  /** Removes claims of any home whose process has ended, and drafts of killed daemons. Resolves with their number. */
  removeStale(): Promise<number>
}

/** A draft becomes a claim within moments: one this old belongs to a daemon that was killed meanwhile. */
const draftMs = 60 * 60_000

export const claimsDirectory = (environment: NodeJS.ProcessEnv): string =>
  join(dirname(defaultHome(environment)), 'muxd-claims')

export function createClaims({ directory, home }: { directory: string; home: string }): Claims {
  const fileOf = ({ config, claudeSessionId }: ConversationKey) => {
    const key = `${resolved(config)}\0${claudeSessionId}`
    return join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.json`)
  }

  const inTheWay = async (file: string): Promise<Claim | DamagedClaim | undefined> => {
    const claim = readClaim(file)
    if (!claim || (!isDamaged(claim) && claim.home === home)) return undefined
    return (await isValid(claim)) ? claim : undefined
  }

  /** One after the other, over all daemons: of two that find the same stale claim one takes it over. */
  const replace = async (file: string, draft: string): Promise<Claim | DamagedClaim | undefined> => {
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
      const claim = readClaim(file)
      // In another container its process cannot be seen.
      if (!claim || isDamaged(claim) || !isLocal(claim.holder) || (await isValid(claim))) return 0
      rmSync(file, { force: true })
      return 1
    } finally {
      unlock()
    }
  }

  return {
    async take(key, claim, pid = process.pid) {
      const holder = await identify(pid)
      // It has ended already: there is nothing to hold.
      if (!holder) return undefined
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const file = fileOf(key)
      const draft = `${file}.${nanoid(8)}`
      writeFileSync(draft, JSON.stringify({ ...claim, home, holder, ...key }), { mode: 0o600, flush: true })
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
      // Its process is gone, so that another may be about to take it over.
      const unlock = await locked(join(directory, 'lock'))
      try {
        const claim = readClaim(file)
        if (claim && !isDamaged(claim) && claim.home === home && claim.process === processId)
          rmSync(file, { force: true })
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

/** There whole and at once, or not because another is there. */
function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Held for a file's reading and writing only. */
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
