import type { Role } from '../../protocol/index.ts'
import { findBySecret, hashOf, type KnownTokens } from '../../daemon/tokens/known-tokens.ts'

/** Tokens of a server that has no home: `t_control` and `t_observe` with these secrets, for ever. */
export function fixedTokens(secrets: Record<Role, string>): KnownTokens {
  const tokens = (['control', 'observe'] as const).map(role => ({ id: `t_${role}`, role, hash: hashOf(secrets[role]) }))
  return { find: secret => findBySecret(tokens, secret), onEnded: () => () => undefined }
}
