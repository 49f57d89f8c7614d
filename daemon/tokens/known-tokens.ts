import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from '../../protocol/index.ts'

/** The valid tokens, as the server looks them up. */
export interface KnownTokens {
  /** Returns the token that is valid now and has this secret; undefined if there is none. */
  find(secret: string): { id: string; role: Role } | undefined
  /**
   * Calls the listener with the id of a token whose secret is no longer valid, and the reason. Returns the unsubscribe
   * function.
   */
  onEnded(listener: (id: string, why: string) => void): () => void
}

/**
 * Returns what is stored of a secret: its SHA-256 in hex digits. A secret has 256 random bits, so no salt is needed.
 */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/**
 * Returns the token with this secret. Takes the same time for every token and for none: it compares with each, and it
 * compares digests, which have the same length and do not reveal the length of a secret.
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
