import type { Handlers } from '../rpc/handlers.ts'
import type { Tokens } from './tokens.ts'

/** The methods that say who may come in. */
export const tokenHandlers = (tokens: Tokens): Pick<Handlers, 'token'> => ({
  token: {
    create: params => tokens.create(params),
    list: () => ({ tokens: tokens.list() }),
    revoke({ id }) {
      tokens.revoke(id)
      return {}
    },
  },
})
