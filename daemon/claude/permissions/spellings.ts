import { readCommandLine, type SimpleCommand, type Word } from './shell.ts'

/** A longer line is never allowed by a pattern, and looked through less thoroughly: nobody has written it by hand. */
export const longLine = 10_000

/** Of a longer line only so much is looked at, and nothing allows it. */
export const endlessLine = 50_000

/**
 * What a command may be allowed as: itself, and itself without assignments that change nothing but its looks and without
 * what only runs it under a limit. Anything else before a command (`sudo`, `env`, `LD_PRELOAD=…`) is part of it.
 */
export function allowedSpellings({ words }: SimpleCommand): string[] {
  const raws = words.map(word => word.raw)
  const bare = raws.slice(
    Math.max(
      0,
      raws.findIndex(raw => !isHarmlessAssignment(raw)),
    ),
  )
  return [raws.join(' '), bare.join(' ').replace(underLimits, '')]
}

/**
 * How a prohibition may meet a command line: the whole of it; each command without assignments, directories and quotes;
 * what is run by a command that runs others.
 */
export function prohibitedSpellings(line: string, commands: readonly (readonly Word[])[]): string[] {
  const most = line.length > longLine ? 10 : 1_000
  return [line.trim(), ...commands.flatMap(words => [...tailsOf(words, most)])]
}

/**
 * Every command that a line may run, as far as its text tells: also what is handed to a shell, and what stands in a
 * substitution. It rather finds too much: of what is not understood, whatever could be a command.
 */
export function* commandsWithin(line: string, depth = 3): Generator<readonly Word[]> {
  const { commands, understood } = readCommandLine(line)
  for (const { words } of commands) {
    const run = words.slice(
      Math.max(
        0,
        words.findIndex(word => !isAssignment(word.raw)),
      ),
    )
    yield run
    if (depth > 0) for (const script of scriptsOf(run)) yield* commandsWithin(script, depth - 1)
  }
  if (!understood) yield* piecesOf(line)
}

/** A command's name without its directory. */
export const baseName = (text: string): string => text.slice(text.lastIndexOf('/') + 1)

/** A command; and where it runs others, what it may run: the words behind it, from each of them on. */
function* tailsOf(words: readonly Word[], most: number): Generator<string> {
  const runner = words.findIndex(({ text }) => runners.has(baseName(text)))
  const last = runner < 0 ? 0 : Math.min(words.length - 1, runner + most)
  for (const texts of [words.map(word => word.raw), words.map(word => word.text)]) {
    let tail = texts.join(' ')
    for (const [index, text] of texts.slice(0, last + 1).entries()) {
      if (index === 0 || index > runner) {
        yield tail
        if (text.includes('/')) yield baseName(text) + tail.slice(text.length)
      }
      tail = tail.slice(text.length + 1)
    }
  }
}

/** What a shell is told to run: the word behind `-c`, the words of `eval`. */
function scriptsOf(words: readonly Word[]): string[] {
  const evaluating = words.findIndex(word => word.text === 'eval')
  const shell = words.findIndex(word => shells.has(baseName(word.text)))
  const flag = shell < 0 ? -1 : words.findIndex((word, index) => index > shell && /^-\w*c$/.test(word.text))
  const textsFrom = (start: number, end?: number) => words.slice(start, end).map(word => word.text)
  return [
    ...(evaluating < 0 ? [] : [textsFrom(evaluating + 1).join(' ')]),
    ...(flag < 0 ? [] : textsFrom(flag + 1, flag + 2)),
  ]
}

/** A line that is not understood, cut wherever a command could begin, whatever its quotes say. */
function piecesOf(line: string): Word[][] {
  return line
    .replaceAll('\\\n', '')
    .split(/[;&|\n`(){}<>]/)
    .map(piece =>
      piece
        .replaceAll(/['"\\]/g, ' ')
        .trim()
        .split(/\s+/),
    )
    .map(texts =>
      texts.slice(
        Math.max(
          0,
          texts.findIndex(text => text !== '$' && !isAssignment(text)),
        ),
      ),
    )
    .map(texts => texts.map(text => ({ raw: text, text })))
}

const isAssignment = (raw: string) => /^[A-Za-z_]\w*\+?=/.test(raw)

const shells = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'fish', 'su'])

/** Commands and keywords that run what is told behind them, options between. */
const runners = new Set([
  ...shells,
  ...(
    'sudo doas env nice nohup timeout time stdbuf command builtin exec noglob nocorrect xargs parallel setsid ionice ' +
    'chrt taskset watch flock script strace ltrace unshare chroot busybox find fd eval trap ' +
    '! if then elif else while until do function coproc { [['
  ).split(' '),
])

/** What may stand before a command and only runs it, for a while or with less of the machine. */
const underLimits = /^(?:(?:time|nohup|nice(?: -n -?\d+)?|timeout \d+(?:\.\d+)?[smhd]?|stdbuf -[ioe][0L]) (?=[^-]))+/

const harmless = new Set(
  'LANG LANGUAGE TZ TERM CI NO_COLOR FORCE_COLOR CLICOLOR COLUMNS LINES NODE_ENV RUST_BACKTRACE PYTHONUNBUFFERED'.split(
    ' ',
  ),
)

function isHarmlessAssignment(raw: string): boolean {
  const name = /^([A-Za-z_]\w*)=/.exec(raw)?.[1]
  return name !== undefined && (harmless.has(name) || name.startsWith('LC_'))
}
