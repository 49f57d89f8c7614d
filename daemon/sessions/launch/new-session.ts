import { nanoid } from 'nanoid'
import type { AgentOptions, ApprovalOptions, Session, SessionSpec } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'
import { paramName } from '../../rpc/param-name.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { checkOptions } from './check-options.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/** Returns the record of a new session, not stored yet. Throws `RpcError` if the spec is invalid or not allowed. */
export function newSession(
  agent: Agent,
  spec: SessionSpec,
  pointer: string,
  config: Config,
  { forkedFrom, firstPrompt }: Pick<Session, 'forkedFrom' | 'firstPrompt'> = {},
): Session {
  const cwd = checkWorkingDirectory(spec.cwd, config.allowRoots, `${pointer}/cwd`)
  const options = checkOptions(agent, spec.options ?? {}, cwd, `${pointer}/options`, config)
  checkLeave(agent, options, `${pointer}/options`, config)
  if (spec.approvals) checkRules(agent, spec.approvals, cwd, `${pointer}/approvals`)
  const now = Date.now()
  return {
    session: `s_${nanoid()}`,
    title: spec.title ?? '',
    ...(firstPrompt !== undefined && { firstPrompt }),
    cwd,
    state: 'idle',
    process: null,
    agent: agent.kind,
    options,
    conversationId: spec.conversationId ?? null,
    ...(spec.approvals && { approvals: spec.approvals }),
    ...(forkedFrom && { forkedFrom }),
    labels: spec.labels ?? {},
    head: 0,
    costUsd: 0,
    createdAt: now,
    updatedAt: now,
    usedAt: now,
    lastRun: null,
  }
}

/**
 * Throws `invalid_params` for a permission mode that the agent does not have, and `forbidden` if the configuration does
 * not allow `args` or the mode `bypassPermissions`. `pointer` is the JSON pointer of the options in the call's params.
 */
export function checkLeave(
  { permissionModes }: Pick<Agent, 'permissionModes'>,
  { args, permissionMode }: AgentOptions,
  pointer: string,
  config: Config,
) {
  if (permissionMode !== undefined && !permissionModes.includes(permissionMode)) {
    const expected = `one of ${permissionModes.join(', ')}`
    throw new RpcError(
      'invalid_params',
      `permissionMode: expected ${expected}, not ${JSON.stringify(permissionMode.slice(0, 60))}`,
      {
        path: `${pointer}/permissionMode`,
        expected,
      },
    )
  }
  if (args?.length && !config.allowArgs) {
    throw new RpcError('forbidden', `args needs "allowArgs": true in config.json`)
  }
  if (permissionMode === 'bypassPermissions' && !config.allowBypassPermissions) {
    throw new RpcError(
      'forbidden',
      `permissionMode bypassPermissions needs "allowBypassPermissions": true in config.json`,
    )
  }
}

/** Throws `invalid_params` with the path of the first rule that the agent would not accept. */
export function checkRules(
  agent: Pick<Agent, 'badRule'>,
  { rules = [] }: ApprovalOptions,
  cwd: string,
  pointer: string,
) {
  const bad = agent.badRule(rules, cwd)
  if (!bad) return
  const path = `${pointer}/rules/${bad.index}`
  const expected = 'allow, ask or deny with a tool, and a pattern as Claude Code has it'
  throw new RpcError('invalid_params', `${paramName(path)}: ${bad.problem}`, { path, expected })
}
