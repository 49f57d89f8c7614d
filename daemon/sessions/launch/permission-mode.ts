import type { AgentOptions, Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'

/**
 * The options of a session's next process: its mode is the one that the agent reported last, which an approved plan or a
 * remembered answer may have changed. A mode that a client could not ask for is not carried over: an unknown one, and
 * `bypassPermissions` where the configuration does not allow it. Then the mode that was asked for holds.
 */
export function withReportedMode(
  { permissionModes }: Pick<Agent, 'permissionModes'>,
  { options, permissionMode }: Pick<Session, 'options' | 'permissionMode'>,
  { allowBypassPermissions }: Pick<Config, 'allowBypassPermissions'>,
): AgentOptions {
  if (permissionMode === undefined || !permissionModes.includes(permissionMode)) return options
  if (permissionMode === 'bypassPermissions' && !allowBypassPermissions) return options
  return { ...options, permissionMode }
}
