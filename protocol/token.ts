import { Type, type Static } from 'typebox'
import { TokenId } from './ids.ts'

/** What a connection may do: everything, or read. */
export const Role = Type.Enum(['control', 'observe'])
export type Role = Static<typeof Role>

/**
 * A token that lets in, without its secret. Built-in are `t_control` and `t_observe`, which the home's `daemon.json` has;
 * the others were made by somebody, `page` by a link to the page. `lastUsedAt` is when somebody last came in with it, null for never.
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
