import { Type, type Static } from 'typebox'

/**
 * Ids are strings: a prefix that names their kind, then a nanoid. `s_` is a session, `r_` a run, `a_` an approval, `t_`
 * a token, `c_` a client. The daemon creates all ids. A client may send its earlier `c_` id in `hello` to remain the
 * same client after a reconnect.
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

/** The client that caused something: its id, and the name it gave in `hello`. */
export const Actor = Type.Object({ client: ClientId, name: Type.String() })
export type Actor = Static<typeof Actor>
