import type { Session, SessionChanges } from '../../protocol/index.ts'
import { limits } from '../../protocol/limits.ts'
import type { ClaudeProcess } from '../agents/claude/claude-process.ts'
import { modelLine, permissionModeLine } from '../agents/claude/control.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import type { Answer } from '../agents/agent.ts'
import { type Requests, Unanswered } from './requests.ts'
import type { SessionRules } from './session-rules.ts'

/**
 * Makes a live process go on with another model, mode and rules; one that ends over it is as good, for the next has them.
 * Resolves with `restart` where only another process can have the mode. Throws `RpcError` with Claude Code's words where it
 * refuses; then it goes on as before.
 */
export async function applyToProcess(
  { requests, rules, claude }: { requests: Requests; rules: SessionRules; claude: ClaudeProcess },
  { model, permissionMode, approvals }: SessionChanges,
  before: Session,
): Promise<'applied' | 'restart'> {
  const setMode = (mode: string) => ask(requests, claude, id => permissionModeLine(id, mode))
  const mode = permissionMode === undefined ? undefined : await setMode(permissionMode)
  if (mode && !mode.ok) {
    if (mode.errorCode === 'bypass_not_launched') return 'restart'
    throw refused('permissionMode', permissionMode!, mode.error)
  }
  const undoMode = async () => {
    if (mode) await setMode(before.permissionMode ?? before.options.permissionMode ?? 'default')
  }
  // The rules are given back by `SessionRules.changed`.
  const ruled = approvals && (await answerOf(rules.replace(claude, approvals.rules ?? [])))
  if (ruled && !ruled.ok) {
    await undoMode()
    throw refused('approvals', approvals?.rules, ruled.error)
  }
  const answer = model === undefined ? undefined : await ask(requests, claude, id => modelLine(id, model))
  if (!answer || answer.ok) return 'applied'
  await undoMode()
  throw refused('model', model!, answer.error)
}

const ask = (requests: Requests, claude: ClaudeProcess, line: (requestId: string) => string) =>
  answerOf(requests.make(claude, line))

async function answerOf(request: Promise<Answer | undefined>): Promise<Answer | undefined> {
  try {
    return await request
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    const limit = { limit: 'updateTimeoutMs', value: limits.updateTimeoutMs }
    throw new RpcError('overloaded', error.message, limit, { cause: error })
  }
}

const refused = (field: 'model' | 'permissionMode' | 'approvals', value: unknown, said: string) =>
  new RpcError('invalid_params', `${field}: Claude Code refuses ${JSON.stringify(value)}: ${said}`, {
    path: `/${field}`,
    expected: said,
  })
