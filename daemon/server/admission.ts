import type { IncomingMessage } from 'node:http'
import type { Role } from '../../protocol/index.ts'
import { type Refusal, tokenOf } from './checks.ts'
import { type FailedTokens, tooManyFailed } from './failed-tokens.ts'
import type { KnownTokens } from '../tokens/known-tokens.ts'
import type { PlaceCheck } from './place-check.ts'

/** How a request came in: over TCP, or over the Unix socket, whose file mode is the credential. */
export type Door = 'tcp' | 'unix'

/** As what somebody was let in. */
export interface Entry {
  role: Role
  /** Id of the token that let it in; none over the Unix socket. */
  token?: string
}

/** Whether a request may in and as what. */
export type Admission = (request: IncomingMessage, door: Door) => Entry | Refusal

export const isRefusal = (admitted: Entry | Refusal): admitted is Refusal => 'status' in admitted

export function createAdmission(options: {
  checkPlace: PlaceCheck
  tokens: Pick<KnownTokens, 'find'>
  failedTokens: FailedTokens
}): Admission {
  const { checkPlace, tokens, failedTokens } = options

  return ({ headers }, door) => {
    const refusal = checkPlace(headers, door)
    if (refusal !== undefined) return refusal
    if (door === 'unix') return { role: 'control' }
    // Before the comparison: while it is locked no answer depends on the token.
    if (failedTokens.isLocked()) return tooManyFailed
    const secret = tokenOf(headers)
    if (secret === undefined)
      return { status: 401, message: 'a token is needed: daemon.json in the home directory has it' }
    const token = tokens.find(secret)
    if (token !== undefined) return { role: token.role, token: token.id }
    failedTokens.failed()
    return { status: 401, message: 'this token is wrong: daemon.json in the home directory has the right one' }
  }
}
