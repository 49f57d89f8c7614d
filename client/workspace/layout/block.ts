/** The content of a pane: a kind from `panes/registry.ts`, and the session if the kind belongs to a session. */
export interface Block {
  kind: string
  session?: string
}

/** Returns the id of a block in stored layouts: `usage`, `session/s_1`. Each block is open at most once. */
export const blockId = ({ kind, session }: Block): string => (session === undefined ? kind : `${kind}/${session}`)

/** Parses a block id. Accepts unknown kinds; returns undefined for text that is no block id. */
export function parseBlockId(id: string): Block | undefined {
  const [, kind, session] = /^([a-z]+)(?:\/(s_[A-Za-z0-9_-]{1,64}))?$/.exec(id) ?? []
  if (kind === undefined) return undefined
  return session === undefined ? { kind } : { kind, session }
}

// The blocks that other parts of the page link to.
export const sessionList: Block = { kind: 'sessions' }
export const approvalList: Block = { kind: 'approvals' }
export const conversationOf = (session: string): Block => ({ kind: 'session', session })
export const framesOf = (session: string): Block => ({ kind: 'frames', session })
