import { limits } from '../../protocol/limits.ts'
import type { Handlers } from '../rpc/handlers.ts'
import { known, page } from './handlers.ts'
import type { Sessions } from './sessions.ts'

/** The methods that act on approvals. */
export function approvalHandlers(sessions: Sessions): Pick<Handlers, 'approval'> {
  return {
    approval: {
      list({ limit = limits.defaultPageSize, state = 'pending', ...filter }) {
        const found = known('/after', () => sessions.listApprovals({ ...filter, state, limit }))
        const { items, next } = page(found, limit, ({ approval }) => approval)
        return { approvals: items, ...next }
      },
      get: ({ approval }) => sessions.getApproval(approval),
      answer: ({ key: _key, ...answer }, { actor, keep }) => sessions.answerApproval(answer, actor, keep),
    },
  }
}
