import type { PermissionAnswer } from './permission-request.ts'
import type { PermissionSettings } from './permission-rules.ts'

/**
 * The lines muxd writes to Claude Code's stdin (stream-json). Reading the answers is `turn.ts`'s part; nothing here
 * keeps state. Each returns one line without its newline.
 */

/** A prompt. `uuid` comes back on the turn's `init` and `result`, so that the turn is matched to its run exactly. */
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

/** Ends the turn; the process lives on. */
export const interruptLine = (requestId: string): string => request(requestId, { subtype: 'interrupt' })

/** Answers `can_use_tool`. `input` is the one asked for, which an allow has to repeat. */
export function permissionLine(requestId: string, given: PermissionAnswer, input: unknown): string {
  if (given.behavior === 'deny') return answer(requestId, given)
  const { behavior, input: updatedInput = input, permissions: updatedPermissions } = given
  return answer(requestId, { behavior, updatedInput, ...(updatedPermissions && { updatedPermissions }) })
}

/** Changes the model from the next request to the API on; the answer names the one that it stands for. */
export const modelLine = (requestId: string, model: string): string =>
  request(requestId, { subtype: 'set_model', model })

/** Changes the permission mode at once. Answered with an error where there is no such mode, or it may not be had now. */
export const permissionModeLine = (requestId: string, mode: string): string =>
  request(requestId, { subtype: 'set_permission_mode', mode })

/**
 * Replaces the permission rules that the process got by the line before, at once. Rules given by `--settings` would hold
 * for as long as the process lives.
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
