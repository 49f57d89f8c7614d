import type { IncomingMessage } from 'node:http'
import type { Role } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'
import { checkHost, checkOrigin, type Refusal, tokenOf } from './checks.ts'
import { createFailedTokens } from './failed-tokens.ts'
import type { KnownTokens } from './known-tokens.ts'

/** How a request came in: over TCP, or over the Unix socket, whose file mode is the credential. */
export type Door = 'tcp' | 'unix'

/** As what somebody was let in. */
export interface Entry {
  role: Role
  /** Id of the token that let it in; none over the Unix socket. */
  token?: string
}

/** Whether a request may in and as what. One for the server: it counts wrong tokens over all connections. */
export type Admission = (request: IncomingMessage, door: Door) => Entry | Refusal

export const isRefusal = (admitted: Entry | Refusal): admitted is Refusal => 'status' in admitted

export function createAdmission(options: {
  /** The port listened on; asked for each request, for it is known only then. */
  port: () => number
  tokens: Pick<KnownTokens, 'find'>
  allowedHosts: readonly string[]
  allowedOrigins: readonly string[]
  limits: Pick<Limits, 'authFailures' | 'authWindowMs'>
  now: () => number
}): Admission {
  const { port, tokens, limits, now } = options
  const allowedHosts = options.allowedHosts.map(host => host.toLowerCase())
  const allowedOrigins = options.allowedOrigins.map(origin => origin.toLowerCase())
  const failedTokens = createFailedTokens({ most: limits.authFailures, windowMs: limits.authWindowMs, now })

  return ({ headers }, door) => {
    const refusal =
      (door === 'tcp' ? checkHost(headers.host, port(), allowedHosts) : undefined) ??
      checkOrigin(headers.origin, port(), allowedOrigins)
    if (refusal !== undefined) return refusal
    if (door === 'unix') return { role: 'control' }
    // Before the comparison: while it is locked no answer depends on the token.
    if (failedTokens.isLocked()) return { status: 429, message: 'too many wrong tokens: try again in a minute' }
    const secret = tokenOf(headers)
    if (secret === undefined)
      return { status: 401, message: 'a token is needed: daemon.json in the home directory has it' }
    const token = tokens.find(secret)
    if (token !== undefined) return { role: token.role, token: token.id }
    failedTokens.failed()
    return { status: 401, message: 'this token is wrong: daemon.json in the home directory has the right one' }
  }
}
