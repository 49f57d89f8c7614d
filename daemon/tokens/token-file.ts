import { statSync } from 'node:fs'
import { nanoid } from 'nanoid'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Token } from '../../protocol/token.ts'
import { BadHome } from '../home/home.ts'
import { readJson, writePrivately } from '../os/private-file.ts'
import { systemProblem } from '../os/system-error.ts'
import { hashOf } from './known-tokens.ts'

/** A token as stored, with the hash of its secret. */
export interface KeptToken extends Token {
  hash: string
}

export type BuiltIn = 't_control' | 't_observe'

/**
 * `tokens.json`, mode 0600, written whole or not at all. It holds the secrets of the two built-in tokens, because the
 * next daemon writes them to its `daemon.json` again. Of all other tokens it holds only the hash.
 */
export interface TokenFile {
  control: string
  observe: string
  /** The built-in ones first, then the others in order of creation. */
  tokens: KeptToken[]
}

/**
 * Returns the stored tokens, or new ones, with `isNew`, if the file does not exist. Throws `BadHome` for a file that
 * exists and cannot be used: new secrets in its place would silently revoke every token.
 */
export function readTokenFile(path: string, now: number): TokenFile & { isNew: boolean } {
  const kept = readKept(path)
  if (!kept) {
    const [control, observe] = [newSecret(), newSecret()]
    return { control, observe, tokens: builtIn({ control, observe }, now), isNew: true }
  }
  const { control, observe } = kept
  // Earlier versions had only the built-in tokens.
  const tokens = kept.tokens ?? builtIn({ control, observe }, Math.round(statSync(path).mtimeMs))
  // A secret may have been edited by hand without its hash, so the hash is computed again.
  const inStep = tokens.map(token => (token.builtIn ? { ...token, hash: hashOf(kept[token.role]) } : token))
  return { control, observe, tokens: inStep, isNew: false }
}

const Kept = Compile(
  Type.Object({
    control: Type.String({ minLength: 1 }),
    observe: Type.String({ minLength: 1 }),
    tokens: Type.Optional(Type.Array(Type.Intersect([Token, Type.Object({ hash: Type.String() })]))),
  }),
)

function readKept(path: string): (Omit<TokenFile, 'tokens'> & { tokens?: KeptToken[] }) | undefined {
  const advice = 'restore it, or move it away to start with new tokens'
  let kept: unknown
  try {
    kept = readJson(path)
  } catch (error) {
    // If the system refuses to read it, the file may be intact, and moving it away would be wrong.
    const refusal = systemProblem((error as Error).cause)
    throw new BadHome(refusal ?? `${(error as Error).message}; ${advice}`, { cause: error })
  }
  if (kept === undefined || Kept.Check(kept)) return kept
  // The message leaves out the value, which may be a secret.
  const [problem] = Kept.Errors(kept)
  throw new BadHome(`${path} cannot be used: ${problem?.instancePath || 'the whole'} ${problem?.message}; ${advice}`)
}

export const writeTokenFile = (path: string, { control, observe, tokens }: TokenFile): void =>
  writePrivately(path, { control, observe, tokens })

export const newSecret = (): string => nanoid(43)

/** Creates the built-in token `id` with this secret. */
export const builtInToken = (id: BuiltIn, secret: string, createdAt: number): KeptToken => {
  const role = id === 't_control' ? 'control' : 'observe'
  return { id, name: role, role, builtIn: true, createdAt, expiresAt: null, lastUsedAt: null, hash: hashOf(secret) }
}

const builtIn = ({ control, observe }: { control: string; observe: string }, createdAt: number) => [
  builtInToken('t_control', control, createdAt),
  builtInToken('t_observe', observe, createdAt),
]
