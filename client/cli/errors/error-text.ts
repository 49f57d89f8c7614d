import { CommanderError } from 'commander'
import { RpcError } from '../../sdk/index.ts'

/** Returns the message of an error for a user of the command line, with names of options instead of params. */
export function errorText(error: unknown): string {
  const { message } = error as Error
  if (error instanceof CommanderError) return message.replace(/^error: /, '')
  if (!(error instanceof RpcError)) return message
  if (error.kind === 'invalid_params') return withOptionNames(message)
  if (error.kind === 'agent_unavailable') return `${message}; to try muxd without it: muxd restart --simulate`
  return message
}

/** `session.update: permissionMode must be …` becomes `--permission-mode must be …`. */
function withOptionNames(message: string): string {
  const [, name = '', rest = ''] = /^(?:[a-z]+\.[a-z]+: )?([A-Za-z]+)((?:[:\s]|\[)[^]*)$/.exec(message) ?? []
  return name in options ? `${options[name]}${rest}` : message
}

const options: Record<string, string> = {
  cwd: '-C',
  permissionMode: '--permission-mode',
  model: '--model',
  title: '--title',
  labels: '--label',
  timeoutMs: '--timeout',
  inactivityMs: '--inactivity',
  maxTurns: '--max-turns',
  maxBudgetUsd: '--max-budget',
}
