import { readCommandLine } from './shell.ts'
import { matchesWildcard } from './wildcard.ts'

/** `npm run test:*`, `git log *`, `make`: a command, with stars for any text. */
export interface CommandPattern {
  verbatim: string
  /** As it is compared with commands: blanks that mean nothing made one. */
  source: string
  parts: readonly Part[]
  hasStar: boolean
  /** `git log *` is also `git log`. */
  bare: string | undefined
}

type Part = { star: true } | { character: string }

/** `:*` at the end is ` *`; `\*`, `\(`, `\)` and `\\` stand for the character itself. */
export function parseCommandPattern(text: string): CommandPattern {
  const verbatim = text.trim()
  const source = withOneBlank(verbatim.replace(/:\*$/, ' *'))
  const parts = [...source.matchAll(/\\([*()\\])|[^]/g)].map(([all, escaped]): Part => {
    if (escaped !== undefined) return { character: escaped }
    return all === '*' ? { star: true } : { character: all }
  })
  const stars = parts.filter(part => 'star' in part).length
  const bare = stars === 1 && parts.length > 2 && source.endsWith(' *') ? literal(parts.slice(0, -2)) : undefined
  return { verbatim, source, parts, hasStar: stars > 0, bare }
}

export function matchesCommand({ source, parts, hasStar, bare }: CommandPattern, command: string): boolean {
  if (command === source || command === bare) return true
  if (!hasStar) return command === literal(parts)
  return matchesWildcard(
    parts,
    command,
    part => 'star' in part,
    (part, character) => 'character' in part && part.character === character,
  )
}

const literal = (parts: readonly Part[]) => parts.map(part => ('character' in part ? part.character : '*')).join('')

/** As the words of a command are joined that it is compared with. What is no single command stays as it is. */
function withOneBlank(text: string): string {
  const { commands, understood } = readCommandLine(text)
  const [command] = commands
  if (!understood || commands.length !== 1 || !command || command.redirects.length > 0) return text
  return command.words.map(word => word.raw).join(' ')
}
