import { nanoid } from 'nanoid'
import type { ClaudeOptions, Session, SessionSpec } from '../../protocol/index.ts'
import type { Config } from '../config.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { checkWorkingDirectory } from './working-directory.ts'

/** The record of a session as it is asked for; not stored yet. Throws `RpcError` for what may not be asked for. */
export function newSession(spec: SessionSpec, pointer: string, config: Config): Session {
  const cwd = checkWorkingDirectory(spec.cwd, config.allowRoots, `${pointer}/cwd`)
  const claude = spec.claude ?? {}
  checkLeave(claude, pointer, config)
  const now = Date.now()
  return {
    session: `s_${nanoid()}`,
    title: spec.title ?? '',
    cwd,
    state: 'idle',
    process: null,
    claudeSessionId: null,
    claude,
    labels: spec.labels ?? {},
    head: 0,
    costUsd: 0,
    createdAt: now,
    updatedAt: now,
    lastRun: null,
  }
}

function checkLeave(claude: ClaudeOptions, pointer: string, config: Config) {
  if (claude.args?.length && !config.allowArgs) {
    throw new RpcError('forbidden', `${pointer}/claude/args needs "allowArgs": true in config.json`)
  }
  if (claude.permissionMode === 'bypassPermissions' && !config.allowBypassPermissions) {
    throw new RpcError(
      'forbidden',
      `${pointer}/claude/permissionMode bypassPermissions needs "allowBypassPermissions": true in config.json`,
    )
  }
}
