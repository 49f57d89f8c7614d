import type { LaunchMode } from '../../agent.ts'
import type { ProcessOptions } from './option-files.ts'

export interface CommandLineOptions {
  /** The absolute path of Claude Code. */
  path: string
  conversation: LaunchMode
  options: ProcessOptions
}

/**
 * Returns the command line of Claude Code for a process of a session. Prompts, control requests and permission requests
 * all use one transport: stream-json in both directions.
 */
export function commandLine({ path, conversation, options }: CommandLineOptions): [string, ...string[]] {
  return [
    path,
    '-p',
    ...['--input-format', 'stream-json', '--output-format', 'stream-json'],
    ...['--verbose', '--include-partial-messages'],
    ...['--permission-prompt-tool', 'stdio'],
    ...begin(conversation),
    ...value('--model', options.model),
    ...value('--permission-mode', options.permissionMode),
    ...list('--allowedTools', options.allowedTools),
    ...list('--disallowedTools', options.disallowedTools),
    ...value('--append-system-prompt-file', options.appendSystemPromptFile),
    ...value('--max-turns', options.maxTurns),
    ...value('--max-budget-usd', options.maxBudgetUsd),
    ...list('--add-dir', options.addDirs),
    ...list('--mcp-config', options.mcpConfig),
    ...value('--settings', options.settings),
    ...(options.args ?? []),
  ]
}

function begin(conversation: LaunchMode): string[] {
  if ('start' in conversation) return ['--session-id', conversation.start]
  if ('resume' in conversation) return ['--resume', conversation.resume]
  const { fork, of, at } = conversation
  return ['--resume', of, '--fork-session', '--session-id', fork, '--resume-session-at', at]
}

// With `--flag=value`, a value that begins with `-` is not read as an option.
const value = (flag: string, given: string | number | undefined) => (given === undefined ? [] : [`${flag}=${given}`])

// A variadic flag would take the arguments behind it as values. A `--flag=value` for each value does not.
const list = (flag: string, given: string[] | undefined) => (given ?? []).map(item => `${flag}=${item}`)
