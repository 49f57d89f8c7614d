import { Type, type Static } from 'typebox'

/**
 * Ids are strings with a prefix that names their kind, followed by a nanoid: `s_` session, `r_` run, `a_` approval,
 * `t_` token, `c_` client. The daemon makes all of them; a client may bring back the `c_` id it was given to stay the same client
 * over a reconnect.
 */
const id = (prefix: string, description: string) =>
  Type.String({ pattern: `^${prefix}_[A-Za-z0-9_-]{1,64}$`, description })

export const SessionId = id('s', 'session id, `s_…`')
export type SessionId = Static<typeof SessionId>

export const RunId = id('r', 'run id, `r_…`')
export type RunId = Static<typeof RunId>

export const ApprovalId = id('a', 'approval id, `a_…`')
export type ApprovalId = Static<typeof ApprovalId>

export const TokenId = id('t', 'token id, `t_…`')
export type TokenId = Static<typeof TokenId>

export const ClientId = id('c', 'client id, `c_…`')
export type ClientId = Static<typeof ClientId>

/** Who caused something: the client's id and the name it gave in `hello`. */
export const Actor = Type.Object({ client: ClientId, name: Type.String() })
export type Actor = Static<typeof Actor>
