import { statSync } from 'node:fs'
import { nanoid } from 'nanoid'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Token } from '../../protocol/token.ts'
import { BadHome } from '../home/home.ts'
import { readJson, writePrivately } from '../os/private-file.ts'
import { systemProblem } from '../os/system-error.ts'
import { hashOf } from './known-tokens.ts'

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

/**
 * The stored tokens; new ones, with `isNew`, where the file does not exist. Throws `BadHome` for a file that exists and
 * cannot be used: new secrets in its place would revoke every token without a word.
 */
export function readTokenFile(path: string, now: number): TokenFile & { isNew: boolean } {
  const kept = readKept(path)
  if (!kept) {
    const [control, observe] = [newSecret(), newSecret()]
    return { control, observe, tokens: builtIn({ control, observe }, now), isNew: true }
  }
  const { control, observe } = kept
  // There was a time when they were all there was.
  const tokens = kept.tokens ?? builtIn({ control, observe }, Math.round(statSync(path).mtimeMs))
  // Whoever edits a secret by hand does not know of its hash.
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
    // Where the system refuses, the file may be whole: then moving it away is no advice.
    const refusal = systemProblem((error as Error).cause)
    throw new BadHome(refusal ?? `${(error as Error).message}; ${advice}`, { cause: error })
  }
  if (kept === undefined || Kept.Check(kept)) return kept
  // Without the value, which may be a secret.
  const [problem] = Kept.Errors(kept)
  throw new BadHome(`${path} cannot be used: ${problem?.instancePath || 'the whole'} ${problem?.message}; ${advice}`)
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
