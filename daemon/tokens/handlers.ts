import type { Handlers } from '../rpc/handlers.ts'
import type { PageCodes } from './page-codes.ts'
import type { Tokens } from './tokens.ts'

/** The methods that create, list and revoke tokens, and make links to the page. */
export const tokenHandlers = (tokens: Tokens, codes: PageCodes, pageUrl: () => string): Pick<Handlers, 'token'> => ({
  token: {
    create: params => tokens.create(params),
    list: () => ({ tokens: tokens.list() }),
    revoke({ id }) {
      tokens.revoke(id)
      return {}
    },
    link({ role }) {
      const { code, expiresAt } = codes.make(role)
      return { url: `${pageUrl()}#code=${code}`, expiresAt }
    },
  },
})
