import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { print, type PermissionAnswer, type PermissionUpdate, type Session } from './session.ts'

import { show, type ToolCall, type Turn } from './turn.ts'

export interface Granted {
  allowed: true
  /** The input that the tool runs with: the one from the answer, if it has one. */
  input: Record<string, unknown>
  /** `permission_decision` of the result's frame: who decided. */
  decision: object
  message?: undefined
}

export interface Refused {
  allowed: false
  input: Record<string, unknown>
  message: string
  /** `non_execution_kind` of the result's frame. */
  kind: string
  decision: object
}

/** Decides whether a tool may run: by rules and mode, otherwise by asking. Rejects when the answer ends the turn. */
export async function permit(turn: Turn, id: string, call: ToolCall, input: Record<string, unknown>) {
  const { session } = turn
  const granted = (decision: object): Granted => ({ allowed: true, input, decision })
  const refused = (kind: string, message: string, decision: object): Refused => {
    turn.denials.push({ tool_name: call.name, tool_use_id: id, tool_input: input })
    return { allowed: false, input, message, kind, decision }
  }
  const refusedByConfig = (message: string) => {
    show(turn, { type: 'system', subtype: 'permission_denied', tool_name: call.name, tool_use_id: id, message })
    return refused('user-rejected', message, { source: 'config' })
  }
  if (session.args.disallowedTools.some(rule => rule.replace(/\(.*$/, '') === call.name))
    return refusedByConfig(`Permission to use ${call.name} has been denied.`)
  if (session.rules.deny.has(call.name)) return refusedByConfig(`Permission to use ${call.name} has been denied.`)
  const isAskedByRule = session.rules.ask.has(call.name)
  const isAllowed = session.rules.allow.has(call.name) && !questions.has(call.name)
  if (
    !isAskedByRule &&
    (!call.asks || isAllowed || session.allowed.has(call.name) || session.allowed.has(ruleFor(call.name, input)))
  )
    return granted({ source: 'config', reason_type: 'rule' })
  if (!isAskedByRule && editModes.has(session.permissionMode) && !questions.has(call.name))
    return granted({ source: 'config', reason_type: 'mode' })
  if (session.args.permissionPromptTool !== 'stdio')
    return refusedByConfig(`Claude requested permissions to use ${call.name}, but you haven't granted it yet.`)

  const pending = turn.tools.get(id)!
  pending.phase = 'asking'
  const answer = await ask(turn, id, call, input, isAskedByRule)
  if (answer.behavior === 'failed') {
    const message = `Tool permission request failed: AbortError: ${answer.message}`
    return refused('permission-rule', message, { source: 'config', reason_type: 'other' })
  }
  if (answer.behavior === 'deny') {
    const refusal = refused('permission-rule', answer.message ?? 'Permission denied', { source: 'user_reject' })
    if (answer.interrupt) turn.stop.abort('refused')
    turn.stop.signal.throwIfAborted()
    return refusal
  }
  pending.phase = 'running'
  const { updatedInput, updatedPermissions = [] } = answer
  for (const update of updatedPermissions) remember(session, update)
  const source = updatedPermissions.length > 0 ? 'user_permanent' : 'user_temporary'
  return { ...granted({ source }), input: updatedInput ?? input }
}

const editModes = new Set(['acceptEdits', 'bypassPermissions'])
const questions = new Set(['AskUserQuestion', 'ExitPlanMode'])

/**
 * Asks with `can_use_tool` over the stream. There is no time-out; when the turn is stopped, the question is withdrawn.
 */
function ask(
  turn: Turn,
  toolUseId: string,
  call: ToolCall,
  input: Record<string, unknown>,
  isAskedByRule: boolean,
): Promise<PermissionAnswer> {
  const { session, stop } = turn
  if (session.inputEnded) return Promise.resolve({ behavior: 'failed', message: 'Stream closed' })
  const requestId = randomUUID()
  print(session, {
    type: 'control_request',
    request_id: requestId,
    request: {
      subtype: 'can_use_tool',
      tool_name: call.name,
      display_name: call.name,
      input,
      description: typeof input['file_path'] === 'string' ? basename(input['file_path']) : call.name,
      ...(!questions.has(call.name) && { permission_suggestions: suggestions(call.name, input) }),
      tool_use_id: toolUseId,
      ...(isAskedByRule && { decision_reason_type: 'rule' }),
      ...(questions.has(call.name) && { requires_user_interaction: true }),
    },
  })
  return new Promise((resolve, reject) => {
    const onStop = () => {
      session.questions.delete(requestId)
      reject(stop.signal.reason as Error)
    }
    stop.signal.addEventListener('abort', onStop, { once: true })
    session.questions.set(requestId, answer => {
      session.questions.delete(requestId)
      stop.signal.removeEventListener('abort', onStop)
      resolve(answer)
    })
  })
}

/**
 * Returns what the CLI offers to remember: for a command a rule with its exact text, for an edit the mode that does not
 * ask.
 */
function suggestions(tool: string, input: Record<string, unknown>): PermissionUpdate[] {
  if (tool !== 'Bash') return [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }]
  const rules = [{ toolName: tool, ruleContent: String(input['command']) }]
  return [{ type: 'addRules', rules, behavior: 'allow', destination: 'localSettings' }]
}

const ruleFor = (tool: string, input: Record<string, unknown>) => `${tool}(${String(input['command'])})`

function remember(session: Session, update: PermissionUpdate): void {
  if (update.type === 'setMode' && update.mode) session.permissionMode = update.mode
  for (const { toolName, ruleContent } of update.rules ?? []) {
    if (toolName) session.allowed.add(ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`)
  }
}
