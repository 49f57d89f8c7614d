import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClaudeOptions } from '../../../protocol/index.ts'
import { looksInline } from './inline-json.ts'

/** Options as a command line has them: what may be long or secret is in a file, so that `ps` shows its path only. */
export interface ProcessOptions extends Omit<ClaudeOptions, 'appendSystemPrompt'> {
  appendSystemPromptFile?: string
}

/**
 * Which files a process needs for its options, by name, and the options that name them. A value that is a path stays
 * one. Claude Code refuses, or ignores, one of two forms of the same option, which differs by version: where `args` has
 * `--settings`, `--append-system-prompt` or `--append-system-prompt-file`, the session's own option is left out, so that
 * `args` win. MCP servers of both add up.
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

/** Nobody but the user may read them, nor write: Claude Code reads them once more when they change. */
export async function writeOptionFiles(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  if (files.size === 0) return
  await mkdir(directory, { mode: 0o700 })
  for (const [name, content] of files) await writeFile(join(directory, name), content, { mode: 0o600, flag: 'wx' })
}
