import type { AgentOptions, Session } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'

/**
 * Returns the options of a session's next process. Its permission mode is the one that the agent reported last, which
 * an approved plan or a remembered answer may have changed. A mode that no client could request is not carried over: an
 * unknown one, or `bypassPermissions` if the configuration does not allow it. The requested mode applies then.
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
