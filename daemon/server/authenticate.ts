import type { IncomingMessage } from 'node:http'
import type { Role } from '../../protocol/index.ts'
import { type Refusal, tokenOf } from './checks.ts'
import { type FailedTokens, tooManyFailed } from './failed-tokens.ts'
import type { KnownTokens } from '../tokens/known-tokens.ts'
import type { OriginCheck, Transport } from './origin-check.ts'

/** The credentials of an accepted request. */
export interface Entry {
  role: Role
  /** Id of its token; absent over the Unix socket. */
  token?: string
}

/** Returns the role of a request, or why it is refused. */
export type Authenticate = (request: IncomingMessage, transport: Transport) => Entry | Refusal

export const isRefusal = (answer: Entry | Refusal): answer is Refusal => 'status' in answer

export function createAuthentication(options: {
  checkHeaders: OriginCheck
  tokens: Pick<KnownTokens, 'find'>
  failedTokens: FailedTokens
}): Authenticate {
  const { checkHeaders, tokens, failedTokens } = options

  return ({ headers }, transport) => {
    const refusal = checkHeaders(headers, transport)
    if (refusal !== undefined) return refusal
    if (transport === 'unix') return { role: 'control' }
    // Check the lock before the token, so that no answer depends on the token while it is locked.
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
