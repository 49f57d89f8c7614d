import { join } from 'node:path'
import type { ClaudeOptions } from '../../../../protocol/index.ts'
import { looksInline } from './inline-json.ts'

/** Options for a command line. Values that may be long or secret are in files, so that `ps` shows only their paths. */
export interface ProcessOptions extends Omit<ClaudeOptions, 'appendSystemPrompt'> {
  appendSystemPromptFile?: string
}

/**
 * Returns the files that a process needs for its options, by name, and the options with their paths. A value that is a
 * path stays unchanged. Given two forms of the same option, Claude Code refuses or ignores one, depending on its
 * version. So if `args` has `--settings`, `--append-system-prompt` or `--append-system-prompt-file`, the session's own
 * option is left out. MCP servers of both are used.
 */
export function optionFiles(
  { appendSystemPrompt, settings, mcpConfig, ...rest }: ClaudeOptions,
  directory: string,
): { options: ProcessOptions; files: ReadonlyMap<string, string> } {
  const files = new Map<string, string>()
  const inFile = (name: string, content: string) => {
    files.set(name, content)
    return join(directory, name)
  }
  const given = (flag: string) => rest.args?.some(each => each === flag || each.startsWith(`${flag}=`)) ?? false
  const options: ProcessOptions = { ...rest }
  if (appendSystemPrompt !== undefined && !given('--append-system-prompt') && !given('--append-system-prompt-file'))
    options.appendSystemPromptFile = inFile('append-system-prompt.txt', appendSystemPrompt)
  if (settings !== undefined && !given('--settings'))
    options.settings = looksInline(settings) ? inFile('settings.json', settings) : settings
  if (mcpConfig)
    options.mcpConfig = mcpConfig.map((value, index) =>
      looksInline(value) ? inFile(`mcp-config-${index}.json`, value) : value,
    )
  return { options, files }
}
