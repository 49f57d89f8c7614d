import type { Session, SessionChanges } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { ClaudeProcess } from '../claude/claude-process.ts'
import { modelLine, permissionModeLine } from '../claude/control.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { type Answer, type Requests, Unanswered } from './requests.ts'

/** The record with the changes in it; what a live process makes of them is not its part. */
export function changed(record: Session, changes: SessionChanges): Session {
  const { title, labels, model, permissionMode, approvals, claudeSessionId } = changes
  const { expiresAfterMs } = record.approvals ?? {}
  return {
    ...record,
    ...(title !== undefined && { title }),
    ...(labels && { labels }),
    claude: {
      ...record.claude,
      ...(model !== undefined && { model }),
      ...(permissionMode !== undefined && { permissionMode }),
    },
    // The deadline of a question stands in its event, and must come out the same when that is derived again.
    ...(approvals && { approvals: { ...approvals, ...(expiresAfterMs !== undefined && { expiresAfterMs }) } }),
    ...(claudeSessionId === null && begunAnew(record)),
  }
}

/** The next process begins a conversation of its own. Where the session came from stays known. */
function begunAnew({ forkedFrom }: Session): Partial<Session> {
  if (!forkedFrom) return { claudeSessionId: null }
  const { session, seq } = forkedFrom
  return { claudeSessionId: null, forkedFrom: { session, seq } }
}

/** Whether a live process has a say in it. */
export const concernsProcess = ({ model, permissionMode }: SessionChanges): boolean =>
  model !== undefined || permissionMode !== undefined

/**
 * Makes a live process go on with another model and mode; one that ends over it is as good, for the next has them.
 * Resolves with `restart` where only another process can have the mode. Throws `RpcError` with Claude Code's words where it
 * refuses; then it goes on as before.
 */
export async function applyToProcess(
  requests: Requests,
  claude: ClaudeProcess,
  { model, permissionMode }: SessionChanges,
  before: Session,
): Promise<'applied' | 'restart'> {
  const setMode = (mode: string) => ask(requests, claude, id => permissionModeLine(id, mode))
  const mode = permissionMode === undefined ? undefined : await setMode(permissionMode)
  if (mode && !mode.ok) {
    if (mode.errorCode === 'bypass_not_launched') return 'restart'
    throw refused('permissionMode', permissionMode!, mode.error)
  }
  const answer = model === undefined ? undefined : await ask(requests, claude, id => modelLine(id, model))
  if (!answer || answer.ok) return 'applied'
  if (mode) await setMode(before.permissionMode ?? before.claude.permissionMode ?? 'default')
  throw refused('model', model!, answer.error)
}

async function ask(
  requests: Requests,
  claude: ClaudeProcess,
  line: (requestId: string) => string,
): Promise<Answer | undefined> {
  try {
    return await requests.make(claude, line)
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    const limit = { limit: 'updateTimeoutMs', value: limits.updateTimeoutMs }
    throw new RpcError('overloaded', error.message, limit, { cause: error })
  }
}

const refused = (field: 'model' | 'permissionMode', value: string, said: string) =>
  new RpcError('invalid_params', `${field}: Claude Code refuses ${JSON.stringify(value)}: ${said}`, {
    path: `/${field}`,
    expected: said,
  })
