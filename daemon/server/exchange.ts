import type { IncomingMessage } from 'node:http'
import type { Role } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'

import type { Refusal } from './checks.ts'
import { type FailedTokens, tooManyFailed } from './failed-tokens.ts'
import type { OriginCheck, Transport } from './origin-check.ts'

/** The result of an exchange: the token of the page and its role. */
export interface PageEntry {
  token: string
  role: Role
}

/** Handles `POST /auth/exchange` with `{ "code": "…" }`, by which a page that a link opened gets its token. */
export type Exchange = (request: IncomingMessage, transport: Transport) => Promise<PageEntry | Refusal>

export function createExchange(options: {
  checkHeaders: OriginCheck
  failedTokens: FailedTokens
  /** Returns undefined for a code that is unknown, used or expired. */
  redeem: (code: string) => PageEntry | undefined
  limits: Pick<Limits, 'maxExchangeBytes'>
}): Exchange {
  const { checkHeaders, failedTokens, redeem, limits } = options
  return async (request, transport) => {
    const refusal = checkHeaders(request.headers, transport)
    if (refusal !== undefined) return refusal
    if (request.method !== 'POST') return { status: 405, message: 'POST { "code": "…" } is expected' }
    // Check the lock before the code, so that no answer depends on the code while it is locked.
    if (failedTokens.isLocked()) return tooManyFailed
    const text = await bodyOf(request, limits.maxExchangeBytes)
    if (text === undefined) return { status: 413, message: `at most ${limits.maxExchangeBytes} bytes are expected` }
    const code = codeIn(text)
    if (code === undefined) return { status: 400, message: '{ "code": "…" } is expected' }
    const entry = redeem(code)
    if (entry !== undefined) return entry
    failedTokens.failed()
    return { status: 401, message: 'this link was used already, or is too old: muxd open makes another' }
  }
}

/** Reads the body of a request; undefined if it is larger than `maxBytes`. */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function codeIn(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) as { code?: unknown }
    return typeof code === 'string' && code !== '' ? code : undefined
  } catch {
    return undefined
  }
}
