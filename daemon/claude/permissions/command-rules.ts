import { matchesCommand } from './command-pattern.ts'
import { permitsPath, type Place, prohibitsPath } from './path-pattern.ts'
import { neverByPattern, type PermissionRule } from './rule.ts'
import { readCommandLine, type Redirect, type SimpleCommand, type Word } from './shell.ts'
import { allowedSpellings, baseName, commandsWithin, endlessLine, longLine, prohibitedSpellings } from './spellings.ts'

/**
 * The rules that allow a command line together: one for each of its commands and each file that the shell opens. None
 * when a single one is not covered, or the line is not understood; but a rule may be the very line.
 */
export function rulesForLine(rules: readonly PermissionRule[], line: string, place: Place): PermissionRule[] {
  if (line.length > endlessLine) return []
  const whole = rules.find(rule => coversAnything(rule) || isTheLine(rule, line.trim()))
  if (whole) return [whole]
  const { commands, understood } = readCommandLine(line)
  if (!understood || line.length > longLine) return []

  const covering: (PermissionRule | undefined)[] = []
  let moved = false
  for (const command of commands) {
    if (command.words.length > 0) covering.push(rules.find(rule => coversCommand(rule, command)))
    for (const redirect of command.redirects)
      if (!isHarmless(redirect))
        covering.push(moved ? undefined : rules.find(rule => coversFile(rule, redirect, place)))
    // Where a path is seen from then on is known to the shell alone.
    moved ||= command.words.some(word => changesDirectory.has(word.text))
  }
  return covering.includes(undefined) ? [] : covering.filter(rule => rule !== undefined)
}

/** What a prohibition is held against: what a line may run, and the files that it is plain to open. */
export interface LineContent {
  spellings: readonly string[]
  reads: readonly string[]
  writes: readonly string[]
}

export function readLineContent(line: string): LineContent {
  const looked = line.slice(0, endlessLine)
  const commands = [...commandsWithin(looked)]
  const redirects = readCommandLine(looked).commands.flatMap(command => command.redirects)
  const files = (access: Redirect['access']) => [
    ...redirects.filter(redirect => redirect.access === access).map(redirect => redirect.target.text),
    ...commands.flatMap(words => openedBy(words, access)),
  ]
  return { spellings: prohibitedSpellings(looked, commands), reads: files('read'), writes: files('write') }
}

export function meetsLine({ tool, matcher }: PermissionRule, content: LineContent, place: Place): boolean {
  if (matcher.kind === 'any') return tool === 'Bash'
  if (matcher.kind === 'command') return content.spellings.some(each => matchesCommand(matcher.pattern, each))
  if (matcher.kind !== 'path' || (tool !== 'Read' && tool !== 'Edit')) return false
  return content[tool === 'Read' ? 'reads' : 'writes'].some(path => prohibitsPath(matcher.pattern, path, place))
}

const coversAnything = ({ tool, matcher }: PermissionRule) => tool === 'Bash' && matcher.kind === 'any'

const isTheLine = ({ matcher }: PermissionRule, line: string) =>
  matcher.kind === 'command' && !matcher.pattern.hasStar && matchesCommand(matcher.pattern, line)

function coversCommand({ matcher }: PermissionRule, command: SimpleCommand): boolean {
  if (matcher.kind !== 'command') return false
  const { pattern } = matcher
  // What a command runs in its turn is not in a star.
  const runs = command.words.find(({ text }, index) =>
    index === 0
      ? neverByPattern.has(baseName(text))
      : baseName(command.words[0]!.text) === 'find' && actsInFind.test(text),
  )
  if (runs && pattern.hasStar && !pattern.source.includes(runs.raw)) return false
  return allowedSpellings(command).some(spelling => matchesCommand(pattern, spelling))
}

const actsInFind = /^-(?:exec|execdir|ok|okdir|delete|fprint0?|fprintf|fls)$/

/** A file is allowed to the shell like to a tool, where its name is all there is to it. */
function coversFile({ tool, matcher }: PermissionRule, { access, target }: Redirect, place: Place): boolean {
  if (access === 'read' ? tool !== 'Read' : tool !== 'Edit' && tool !== 'Write') return false
  if (/[*?[\]{}$~=!^#]/.test(target.text)) return false
  return matcher.kind === 'any' || (matcher.kind === 'path' && permitsPath(matcher.pattern, target.text, false, place))
}

const isHarmless = ({ target }: Redirect) => /^\/dev\/(?:null|stdout|stderr|tty)$/.test(target.text)

const changesDirectory = new Set(['cd', 'pushd', 'popd', 'chdir'])

function openedBy(words: readonly Word[], access: Redirect['access']): string[] {
  const openers = access === 'read' ? readers : writers
  const opener = words.findIndex(({ text }) => openers.has(baseName(text)))
  if (opener < 0) return []
  const rest = words.slice(opener + 1).map(word => word.text)
  if (
    access === 'write' &&
    baseName(words[opener]!.text) === 'sed' &&
    !rest.some(text => /^-\w*i|^--in-place/.test(text))
  )
    return []
  return rest.filter(text => !text.startsWith('-')).map(text => text.replace(/^(?:if|of)=/, ''))
}

const readers = new Set(
  'cat bat head tail less more sed awk grep egrep fgrep rg nl tac wc sort uniq cut strings xxd od hexdump base64 diff cmp cp mv dd source .'.split(
    ' ',
  ),
)
const writers = new Set('tee sed cp mv rm rmdir mkdir touch truncate ln install dd chmod chown'.split(' '))
