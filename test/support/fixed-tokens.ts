import type { Role } from '../../protocol/index.ts'
import { findBySecret, hashOf, type KnownTokens } from '../../daemon/tokens/known-tokens.ts'

/** Returns the tokens of a server without a home: `t_control` and `t_observe` with these secrets. They never expire. */
export function fixedTokens(secrets: Record<Role, string>): KnownTokens {
  const tokens = (['control', 'observe'] as const).map(role => ({ id: `t_${role}`, role, hash: hashOf(secrets[role]) }))
  return { find: secret => findBySecret(tokens, secret), onEnded: () => () => undefined }
}
