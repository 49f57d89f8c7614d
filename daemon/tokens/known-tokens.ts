import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from '../../protocol/index.ts'

/** The tokens that let in, as the server asks for them. */
export interface KnownTokens {
  /** Whose secret this is, now; undefined where it is nobody's. */
  find(secret: string): { id: string; role: Role } | undefined
  /** Calls back with the id of one that lets in no more, and why. Returns the unsubscribe function. */
  onEnded(listener: (id: string, why: string) => void): () => void
}

/** What is kept of a secret: hex digits of its SHA-256. A secret has 256 bits of chance in it, so that no salt is needed. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/**
 * The token with this secret. Takes the same time whichever it is, and where it is none: each is compared, and digests
 * have one length, which a secret's own would give away.
 */
export function findBySecret<Token extends { hash: string }>(
  tokens: Iterable<Token>,
  secret: string,
): Token | undefined {
  const given = Buffer.from(hashOf(secret), 'hex')
  let found: Token | undefined
  for (const token of tokens) if (timingSafeEqual(given, Buffer.from(token.hash, 'hex'))) found = token
  return found
}
