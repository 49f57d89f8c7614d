/** What a pane can show. */
export type Block =
  | { kind: 'sessions' }
  | { kind: 'approvals' }
  | { kind: 'usage' }
  | { kind: 'daemon' }
  | { kind: 'session'; session: string }
  | { kind: 'frames'; session: string }

export type BlockKind = Block['kind']

const alone = ['sessions', 'approvals', 'usage', 'daemon'] as const
const ofSession = ['session', 'frames'] as const

/** A block's name in layouts: each is open at most once, so that it is also its pane's. */
export const blockId = (block: Block): string => ('session' in block ? `${block.kind}/${block.session}` : block.kind)

/** The block of that name, or undefined: a layout may be of another version, or of anybody. */
export function blockOf(id: string): Block | undefined {
  const kind = alone.find(name => name === id)
  if (kind) return { kind }
  const [name, session, ...rest] = id.split('/')
  const of = ofSession.find(candidate => candidate === name)
  return of && session && /^s_[A-Za-z0-9_-]{1,64}$/.test(session) && !rest.length ? { kind: of, session } : undefined
}
