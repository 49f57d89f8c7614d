import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { isLive, type ProcessIdentity } from '../../os/process-identity.ts'

/** Who has a conversation open: a session of a muxd, with the process that lives, or is about to, on its behalf. */
export interface Claim {
  home: string
  session: string
  /** muxd's id of the Claude Code process. */
  process: string
  /** That process, once it exists; before, the daemon that starts it. The claim is valid while this process lives. */
  holder: ProcessIdentity
}

/**
 * A claim file that exists and cannot be read. Its owner is unknown and may be alive, so it blocks the conversation
 * until somebody removes the file. Claims are written whole and synced, so neither a killed daemon nor a power cut
 * leaves such a file.
 */
export interface DamagedClaim {
  file: string
  why: string
}

export const isDamaged = (claim: Claim | DamagedClaim): claim is DamagedClaim => 'why' in claim

const ClaimFile = Compile(
  Type.Object({
    home: Type.String(),
    session: Type.String(),
    process: Type.String(),
    holder: Type.Object({ pid: Type.Integer(), started: Type.String(), domain: Type.String() }),
  }),
)

/** Undefined only where the file does not exist. */
export function readClaim(file: string): Claim | DamagedClaim | undefined {
  let claim: unknown
  try {
    claim = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return { file, why: (error as Error).message }
  }
  return ClaimFile.Check(claim) ? claim : { file, why: 'it does not name a process' }
}

/** Whether the claim still counts. */
export const isValid = async (claim: Claim | DamagedClaim): Promise<boolean> =>
  isDamaged(claim) || (await isLive(claim.holder))
