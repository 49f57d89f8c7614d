/** What a pane shows: a kind of `panes/registry.ts`, and its session where the kind shows a session. */
export interface Block {
  kind: string
  session?: string
}

/** The name of a block in stored layouts: `usage`, `session/s_1`. Each block is open at most once. */
export const blockId = ({ kind, session }: Block): string => (session === undefined ? kind : `${kind}/${session}`)

/** The parts of such a name, of any kind; undefined for text that cannot be one. */
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
