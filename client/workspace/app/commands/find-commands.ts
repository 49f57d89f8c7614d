import type { Command } from './command.ts'
import { matchScore } from './match.ts'

const most = 60

type Findable = Pick<Command, 'id' | 'title' | 'hint' | 'words' | 'isFinal'>

/** Returns the commands that match the query, the best match first. Final commands come last, and never alone. */
export function findCommands<Found extends Findable>(commands: readonly Found[], query: string): Found[] {
  const harmless = commands.filter(({ isFinal }) => !isFinal)
  if (!query.trim()) return harmless.slice(0, most)
  const found = harmless
    .map(command => ({ command, score: scoreOf(command, query) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ command }) => command)
  if (found.length === 0) return []
  return [...found, ...commands.filter(command => command.isFinal && isNamed(command, query))]
}

/** Returns the index of the picked command, or 0 if no command is picked. A final command never has index 0. */
export function chosenOf(found: readonly Pick<Command, 'id'>[], picked: string | undefined): number {
  return Math.max(
    0,
    found.findIndex(({ id }) => id === picked),
  )
}

const scoreOf = ({ title, hint = '', words = '' }: Findable, query: string): number =>
  Math.max(matchScore(query, title) * 2, matchScore(query, `${title} ${hint} ${words}`))

/** Whether the query begins with the complete first word of the title, and its other words are in the title or hint. */
function isNamed({ title, hint = '' }: Findable, query: string): boolean {
  const [first, ...others] = query.toLowerCase().split(/\s+/).filter(Boolean)
  const text = `${title} ${hint}`.toLowerCase()
  return text.split(/\s+/, 1)[0] === first && others.every(word => text.includes(word))
}
