import type { QuestionAnswer } from '../agent.ts'
import type { PermissionSettings } from './permissions/permission-rules.ts'

/**
 * The lines that muxd writes to the stdin of Claude Code (stream-json). Each function returns one line without its
 * newline, and none keeps state. `facts/turn.ts` reads the answers.
 */

/** A prompt. The `init` and `result` of its turn carry `uuid`, which matches the turn to its run. */
export const userLine = (uuid: string, prompt: string): string =>
  JSON.stringify({
    type: 'user',
    uuid,
    message: { role: 'user', content: [{ type: 'text', text: prompt }] },
    parent_tool_use_id: null,
    session_id: '',
  })

/** The first line of every process. */
export const initializeLine = (requestId: string): string => request(requestId, { subtype: 'initialize' })

/** Ends the turn and keeps the process. */
export const interruptLine = (requestId: string): string => request(requestId, { subtype: 'interrupt' })

/** Answers `can_use_tool`. `input` is the input of the request, which an allow has to repeat. */
export function permissionLine(requestId: string, given: QuestionAnswer, input: unknown): string {
  if (given.behavior === 'deny') return answer(requestId, given)
  const { behavior, input: updatedInput = input, permissions: updatedPermissions } = given
  return answer(requestId, { behavior, updatedInput, ...(updatedPermissions && { updatedPermissions }) })
}

/** Changes the model from the next API request on. The answer contains the resolved name of the model. */
export const modelLine = (requestId: string, model: string): string =>
  request(requestId, { subtype: 'set_model', model })

/** Changes the permission mode at once. The answer is an error if the mode does not exist or is not available now. */
export const permissionModeLine = (requestId: string, mode: string): string =>
  request(requestId, { subtype: 'set_permission_mode', mode })

/**
 * Replaces at once the permission rules of the previous such line. Rules in `--settings` could not be removed during
 * the life of the process.
 */
export const permissionsLine = (requestId: string, permissions: PermissionSettings): string =>
  request(requestId, { subtype: 'apply_flag_settings', settings: { permissions } })

/** Answers a control request that muxd does not know. */
export const unsupportedLine = (requestId: string, subtype: string): string =>
  JSON.stringify({
    type: 'control_response',
    response: { subtype: 'error', request_id: requestId, error: `unsupported control request ${subtype}` },
  })

const request = (requestId: string, body: object) =>
  JSON.stringify({ type: 'control_request', request_id: requestId, request: body })

const answer = (requestId: string, response: object) =>
  JSON.stringify({ type: 'control_response', response: { subtype: 'success', request_id: requestId, response } })
