import { statSync } from 'node:fs'
import { nanoid } from 'nanoid'
import type { Token } from '../../protocol/index.ts'
import { readJson, writePrivately } from '../home.ts'
import { hashOf } from '../server/known-tokens.ts'

/** A token as it is kept: of its secret the hash. */
export interface KeptToken extends Token {
  hash: string
}

export type BuiltIn = 't_control' | 't_observe'

/**
 * `tokens.json`, mode 0600, written whole or not at all. The secrets of the two built-in tokens are in it, for the next
 * daemon tells them again in its `daemon.json`; of all others there is the hash alone.
 */
export interface TokenFile {
  control: string
  observe: string
  /** The built-in ones first, then in the order in which they were made. */
  tokens: KeptToken[]
}

/** What was kept; with new secrets where there is nothing that can be read, and `isNew`. */
export function readTokenFile(path: string, now: number): TokenFile & { isNew: boolean } {
  const kept = readJson<Partial<TokenFile>>(path)
  if (typeof kept?.control !== 'string' || typeof kept.observe !== 'string') {
    const [control, observe] = [newSecret(), newSecret()]
    return { control, observe, tokens: builtIn({ control, observe }, now), isNew: true }
  }
  const { control, observe } = kept
  // There was a time when they were all there was.
  const tokens = kept.tokens ?? builtIn({ control, observe }, Math.round(statSync(path).mtimeMs))
  // Whoever edits a secret by hand does not know of its hash.
  const inStep = tokens.map(token => (token.builtIn ? { ...token, hash: hashOf(kept[token.role]!) } : token))
  return { control, observe, tokens: inStep, isNew: false }
}

export const writeTokenFile = (path: string, { control, observe, tokens }: TokenFile): void =>
  writePrivately(path, { control, observe, tokens })

export const newSecret = (): string => nanoid(43)

/** `id` with its new secret. */
export const builtInToken = (id: BuiltIn, secret: string, createdAt: number): KeptToken => {
  const role = id === 't_control' ? 'control' : 'observe'
  return { id, name: role, role, builtIn: true, createdAt, expiresAt: null, lastUsedAt: null, hash: hashOf(secret) }
}

const builtIn = ({ control, observe }: { control: string; observe: string }, createdAt: number) => [
  builtInToken('t_control', control, createdAt),
  builtInToken('t_observe', observe, createdAt),
]
