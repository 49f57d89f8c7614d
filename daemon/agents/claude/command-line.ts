import type { ProcessOptions } from './option-files.ts'

export interface CommandLineOptions {
  /** Absolute path of Claude Code. */
  path: string
  conversation: Beginning
  options: ProcessOptions
}

/**
 * How a process comes by its conversation: a new one under our id; an old one taken up again; or one of its own, under
 * our id, made of another's up to and including the message `at`.
 */
export type Beginning = { start: string } | { resume: string } | { fork: string; of: string; at: string }

/**
 * Claude Code's command line for a session's process. One transport for everything: stream-json both ways, prompts and
 * control requests over stdin, permission questions over the same stream.
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

function begin(conversation: Beginning): string[] {
  if ('start' in conversation) return ['--session-id', conversation.start]
  if ('resume' in conversation) return ['--resume', conversation.resume]
  const { fork, of, at } = conversation
  return ['--resume', of, '--fork-session', '--session-id', fork, '--resume-session-at', at]
}

// `--flag=value`: a value that begins with `-` stays a value.
const value = (flag: string, given: string | number | undefined) => (given === undefined ? [] : [`${flag}=${given}`])

// Variadic flags would swallow what follows them; one `--flag=value` each does not.
const list = (flag: string, given: string[] | undefined) => (given ?? []).map(item => `${flag}=${item}`)
