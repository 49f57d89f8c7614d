import type { IncomingMessage } from 'node:http'
import type { Role } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'

import type { Refusal } from './checks.ts'
import { type FailedTokens, tooManyFailed } from './failed-tokens.ts'
import type { OriginCheck, Transport } from './origin-check.ts'

/** What a page gets for the code of its link. */
export interface PageEntry {
  token: string
  role: Role
}

/** `POST /auth/exchange` with `{ "code": "…" }`: a page that was opened by a link gets its token. */
export type Exchange = (request: IncomingMessage, transport: Transport) => Promise<PageEntry | Refusal>

export function createExchange(options: {
  checkHeaders: OriginCheck
  failedTokens: FailedTokens
  /** Undefined for a code that lets nobody in, any more or ever. */
  redeem: (code: string) => PageEntry | undefined
  limits: Pick<Limits, 'maxExchangeBytes'>
}): Exchange {
  const { checkHeaders, failedTokens, redeem, limits } = options
  return async (request, transport) => {
    const refusal = checkHeaders(request.headers, transport)
    if (refusal !== undefined) return refusal
    if (request.method !== 'POST') return { status: 405, message: 'POST { "code": "…" } is expected' }
    // As for tokens: while it is locked no answer depends on the code.
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

/** Undefined where it is larger. */
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
