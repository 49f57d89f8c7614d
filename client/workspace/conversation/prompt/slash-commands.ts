import type { SlashCommand } from '../capabilities.ts'

const mostShown = 8

/** Returns the commands that match the first word of a prompt; none once a space follows it. */
export function matchingCommands(prompt: string, commands: readonly SlashCommand[]): SlashCommand[] {
  const word = /^\/(\S*)$/.exec(prompt)?.[1]?.toLowerCase()
  if (word === undefined) return []
  const starts = commands.filter(({ name }) => name.toLowerCase().startsWith(word))
  const holds = commands.filter(command => !starts.includes(command) && command.name.toLowerCase().includes(word))
  return [...starts, ...holds].slice(0, mostShown)
}
