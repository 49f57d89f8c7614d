import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nanoid } from 'nanoid'
import { defaultHome } from '../config.ts'
import { identify, isLive, type ProcessIdentity } from '../process-identity.ts'
import { holdLock } from '../store/hold-lock.ts'

/** A conversation of Claude Code's, among all that a user has: two homes mean the same one by it. */
export interface ConversationKey {
  /** Claude Code's configuration directory. */
  config: string
  claudeSessionId: string
}

/** Who has a conversation open: a session of a muxd, with the process that lives, or is about to, on its behalf. */
export interface Claim {
  home: string
  session: string
  /** muxd's id of the Claude Code process. */
  process: string
  /** That process, once it is there; before, the daemon that starts it. The claim is good for as long as it lives. */
  holder: ProcessIdentity
}

/**
 * One owner for each conversation, over all homes of a user: Claude Code itself lets two processes go on with the same
 * one, and the turns of one of them are lost. A claim is a small file in a place that the homes share; it is taken before
 * a process is started and given up when that has ended, and one whose process is no more counts for nothing.
 */
export interface Claims {
  /**
   * Takes a conversation, or renews the claim: then `undefined`. Another home's, while its process lives, is answered
   * instead. Those of this home are never in the way: its daemon knows what it does.
   */
  take(key: ConversationKey, claim: Omit<Claim, 'home' | 'holder'>, pid?: number): Promise<Claim | undefined>
  /** Gives it up, if it is this process's. */
  release(key: ConversationKey, process: string): Promise<void>
  /** Who else has it. */
  ofOthers(key: ConversationKey): Promise<Claim | undefined>
}

export const claimsDirectory = (environment: NodeJS.ProcessEnv): string =>
  join(dirname(defaultHome(environment)), 'muxd-claims')

export function createClaims({ directory, home }: { directory: string; home: string }): Claims {
  const fileOf = ({ config, claudeSessionId }: ConversationKey) => {
    const key = `${resolved(config)}\0${claudeSessionId}`
    return join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.json`)
  }

  const inTheWay = async (file: string): Promise<Claim | undefined> => {
    const claim = readClaim(file)
    if (!claim || claim.home === home) return undefined
    return (await isLive(claim.holder)) ? claim : undefined
  }

  /** One after the other, over all daemons: of two that find the same stale claim one takes it over. */
  const replace = async (file: string, draft: string): Promise<Claim | undefined> => {
    const unlock = await locked(join(directory, 'lock'))
    try {
      const other = await inTheWay(file)
      if (!other) renameSync(draft, file)
      return other
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
      writeFileSync(draft, JSON.stringify({ ...claim, home, holder, ...key }), { mode: 0o600 })
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
        if (claim?.home === home && claim.process === processId) rmSync(file, { force: true })
      } finally {
        unlock()
      }
    },
    ofOthers: key => inTheWay(fileOf(key)),
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

function readClaim(file: string): Claim | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Claim
  } catch {
    return undefined
  }
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
