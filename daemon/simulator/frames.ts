import { permissionModes } from './arguments.ts'
import { simulatorModel, stamped, type Session } from './session.ts'

export const version = '2.1.329'
export const apiKeySource = 'none (simulator)'

/** `system/init`, once per turn. `uuids` are those of the user lines that the turn answers. */
export function initFrame(session: Session, uuids: readonly string[]): object {
  return stamped(session, {
    type: 'system',
    subtype: 'init',
    cwd: process.cwd(),
    tools: ['Task', 'AskUserQuestion', 'Bash', 'Edit', 'ExitPlanMode', 'Read', 'WebFetch', 'WebSearch', 'Write'],
    mcp_servers: [],
    model: session.model,
    permissionMode: session.permissionMode,
    slash_commands: ['clear'],
    terminal_slash_commands: [],
    apiKeySource,
    claude_code_version: version,
    output_style: 'default',
    agents: ['general-purpose'],
    skills: [],
    plugins: [],
    capabilities: [...capabilities],
    analytics_disabled: true,
    product_feedback_disabled: true,
    served_by_anthropic: false,
    original_cwd: process.cwd(),
    additional_directories: session.args.addDirs,
    fast_mode_state: 'off',
    fast_mode_disabled_reason: 'sdk_opt_in_required',
    per_turn_effort_active: true,
    ultrathink_available: false,
    ultrathink_typed_raises: false,
    view_mode: 'default',
    ...(uuids.length > 0 && { user_message_uuids: uuids }),
  })
}

/** The answer to `initialize`. */
export function initializeAnswer(session: Session, requestId: string): object {
  const pending = { pending_permission_requests: [], pending_user_dialog_requests: [] }
  const response = { subtype: 'success', request_id: requestId, response: capabilitiesOf(session), ...pending }
  return { type: 'control_response', response }
}

function capabilitiesOf(session: Session): object {
  return {
    commands: [{ name: 'clear', description: 'Begin a new conversation', argumentHint: '', builtin: true }],
    agents: [{ name: 'general-purpose', description: 'A simulated agent' }],
    output_style: 'default',
    available_output_styles: ['default'],
    models: [
      {
        value: 'default',
        resolvedModel: simulatorModel,
        displayName: 'muxd simulator',
        description: 'Plays scripts; no model answers',
      },
    ],
    account: { tokenSource: 'none', apiKeySource, apiProvider: 'simulator' },
    pid: process.pid,
    claude_code_version: version,
    current_permission_mode: session.permissionMode,
    analytics_disabled: true,
    fast_mode_state: 'off',
    session_state: 'idle',
    capabilities: [],
  }
}

export const controlSuccess = (requestId: string, response: object): object => ({
  type: 'control_response',
  response: { subtype: 'success', request_id: requestId, response },
})

export const controlError = (requestId: string, error: string, code: string): object => ({
  type: 'control_response',
  response: { subtype: 'error', request_id: requestId, error, error_code: code },
})

export const modeProblem = `Cannot set permission mode: must be one of ${permissionModes.join(', ')}`

export const bypassProblem =
  'Cannot set permission mode to bypassPermissions because the session was not launched with --dangerously-skip-permissions'

export const modelProblem =
  'Model "(unrecognized model name)" is not a recognized model id. Run /model to see available models.'

export type CommandState = 'queued' | 'started' | 'completed' | 'cancelled'

export const lifecycleFrame = (session: Session, commandUuid: string, state: CommandState): object =>
  stamped(session, { type: 'command_lifecycle', command_uuid: commandUuid, state })

export const systemFrame = (session: Session, subtype: string, fields: object): object =>
  stamped(session, { type: 'system', subtype, ...fields })

const capabilities = ['interrupt_receipt_v1', 'msg_lifecycle_v1', 'request_marker_lists_v1']
