import type { SlashCommand } from '../capabilities.ts'

const mostShown = 8

/** The commands that a prompt may be the beginning of; none once its first word is whole. */
export function matchingCommands(prompt: string, commands: readonly SlashCommand[]): SlashCommand[] {
  const word = /^\/(\S*)$/.exec(prompt)?.[1]?.toLowerCase()
  if (word === undefined) return []
  const starts = commands.filter(({ name }) => name.toLowerCase().startsWith(word))
  const holds = commands.filter(command => !starts.includes(command) && command.name.toLowerCase().includes(word))
  return [...starts, ...holds].slice(0, mostShown)
}
