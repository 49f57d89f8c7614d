import { Type, type Static } from 'typebox'
import { TokenId } from './ids.ts'

/** The permissions of a connection: `control` for everything, `observe` for reading. */
export const Role = Type.Enum(['control', 'observe'])
export type Role = Static<typeof Role>

/**
 * A token for connections, without its secret. `t_control` and `t_observe` are built in; the home's `daemon.json` has
 * their secrets. Clients created the others; `page` is true for a token that a page got by a link. Times are ms since
 * epoch. `lastUsedAt` is the last time a connection used the token; null: never.
 */
export const Token = Type.Object({
  id: TokenId,
  name: Type.String(),
  role: Role,
  builtIn: Type.Boolean(),
  page: Type.Optional(Type.Boolean()),
  createdAt: Type.Integer(),
  expiresAt: Type.Union([Type.Integer(), Type.Null()]),
  lastUsedAt: Type.Union([Type.Integer(), Type.Null()]),
})
export type Token = Static<typeof Token>
