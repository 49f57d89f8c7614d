import { nanoid } from 'nanoid'
import {
  type ApprovalOptions,
  type ClaudeOptions,
  defaultAgent,
  type Session,
  type SessionSpec,
} from '../../protocol/index.ts'
import { permissionModes } from '../../protocol/wire.ts'
import { BadPermissionRule, parsePermissionRules } from '../agents/claude/permission-rules.ts'
import type { Config } from '../config.ts'
import { paramName } from '../rpc/param-name.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { checkOptions } from './check-options.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/** The record of a session as it is asked for; not stored yet. Throws `RpcError` for what may not be asked for. */
export function newSession(
  spec: SessionSpec,
  pointer: string,
  config: Config,
  { forkedFrom, firstPrompt }: Pick<Session, 'forkedFrom' | 'firstPrompt'> = {},
): Session {
  const cwd = checkWorkingDirectory(spec.cwd, config.allowRoots, `${pointer}/cwd`)
  const options = checkOptions(spec.options ?? {}, cwd, `${pointer}/options`, config)
  checkLeave(options, `${pointer}/options`, config)
  if (spec.approvals) checkRules(spec.approvals, cwd, `${pointer}/approvals`)
  const now = Date.now()
  return {
    session: `s_${nanoid()}`,
    title: spec.title ?? '',
    ...(firstPrompt !== undefined && { firstPrompt }),
    cwd,
    state: 'idle',
    process: null,
    agent: spec.agent ?? defaultAgent,
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
 * Throws `invalid_params` for a permission mode that Claude Code does not have, and `forbidden` where the configuration does
 * not allow what is asked for. `pointer` is where the options stand in the call's params.
 */
export function checkLeave({ args, permissionMode }: ClaudeOptions, pointer: string, config: Config) {
  if (permissionMode !== undefined && !(permissionModes as readonly string[]).includes(permissionMode)) {
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

/** Throws `invalid_params` with the place of a rule that is none. */
export function checkRules({ rules = [] }: ApprovalOptions, cwd: string, pointer: string) {
  try {
    parsePermissionRules(rules, cwd)
  } catch (error) {
    if (!(error instanceof BadPermissionRule)) throw error
    const path = `${pointer}/rules/${error.index}`
    const expected = 'allow, ask or deny with a tool, and a pattern as Claude Code has it'
    throw new RpcError('invalid_params', `${paramName(path)}: ${error.message}`, { path, expected }, { cause: error })
  }
}
