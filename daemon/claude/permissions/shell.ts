/** A word of a command line: as it was written, and without its quotes. */
export interface Word {
  raw: string
  text: string
}

/** A file that the shell itself opens for a command. */
export interface Redirect {
  access: 'read' | 'write'
  target: Word
}

/** One command of a command line: its words with assignments before them, and its files. */
export interface SimpleCommand {
  words: Word[]
  redirects: Redirect[]
}

export interface CommandLine {
  commands: SimpleCommand[]
  /**
   * The commands are all that is run. False where anything is not told from the text alone: a substitution, a
   * here-document, a keyword, a quote without its end. The commands are then a best effort.
   */
  understood: boolean
}

/**
 * Takes a command line of bash or zsh apart. It claims to understand little: a list of plain commands, joined by `&&`,
 * `||`, `;`, `|`, `|&`, `&` and newlines, perhaps in parentheses, with quotes, variables and redirections to files.
 */
export function readCommandLine(line: string): CommandLine {
  return createReader(line).read()
}

const keywords = new Set(
  '! { } [[ case coproc do done elif else esac fi for foreach function if in repeat select then until while'.split(' '),
)

/** What a word may be made of, in long stretches: neither blank nor quote nor anything the shell has a meaning for. */
const plain = /[^\s\\'"$`#;&|()<>]+/y
const variable = /\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|[0-9?#$!@*-])/y
const digits = /^\d+$/

function createReader(line: string) {
  const commands: SimpleCommand[] = []
  let understood = true
  let at = 0
  let command: SimpleCommand = { words: [], redirects: [] }
  let word: Word | undefined
  let awaiting: Redirect['access'] | undefined
  /** Parentheses that are open, and whether one was just closed: only an operator or a file may follow. */
  let depth = 0
  let closed = false

  const unsure = () => {
    understood = false
  }
  const add = (raw: string, text = raw) => {
    word ??= { raw: '', text: '' }
    word.raw += raw
    word.text += text
    at += raw.length
  }
  const endWord = () => {
    if (!word) return
    if (awaiting) command.redirects.push({ access: awaiting, target: word })
    else {
      if (closed || (command.words.length === 0 && keywords.has(word.raw))) unsure()
      command.words.push(word)
    }
    word = undefined
    awaiting = undefined
  }
  const endCommand = () => {
    endWord()
    if (awaiting) unsure()
    awaiting = undefined
    if (command.words.length > 0 || command.redirects.length > 0) commands.push(command)
    command = { words: [], redirects: [] }
    closed = false
  }
  const isFresh = () => !word && command.words.length === 0 && command.redirects.length === 0 && !closed
  const begins = (text: string) => line.startsWith(text, at)

  /** `$…`, in and outside of double quotes. */
  const dollar = () => {
    variable.lastIndex = at
    const found = variable.exec(line)
    if (found) return add(found[0])
    // `$(…)`, `${a:-…}`, `$'…'`: what comes of it is told by running it.
    if (/^\$[({['"]/.test(line.slice(at, at + 2))) unsure()
    return add('$')
  }
  const singleQuoted = () => {
    const end = line.indexOf("'", at + 1)
    if (end < 0) unsure()
    const inner = line.slice(at + 1, end < 0 ? line.length : end)
    add(line.slice(at, end < 0 ? line.length : end + 1), inner)
  }
  const doubleQuoted = () => {
    add('"', '')
    while (at < line.length && line[at] !== '"') {
      if (line[at] === '\\') escaped(/[$`"\\\n]/)
      else if (line[at] === '$') dollar()
      else {
        if (line[at] === '`') unsure()
        add(line[at]!)
      }
    }
    if (at >= line.length) unsure()
    else add('"', '')
  }
  /** A backslash, which before anything but `special` stands for itself. */
  const escaped = (special: RegExp) => {
    const next = line[at + 1]
    if (next === undefined) {
      unsure()
      add('\\')
    } else if (next === '\n') at += 2
    else add(`\\${next}`, special.test(next) ? next : `\\${next}`)
  }

  const redirect = () => {
    // `2>`: the number is a descriptor. `{name}>` lets the shell choose one.
    if (word && digits.test(word.raw)) word = undefined
    else if (word?.raw.startsWith('{')) unsure()
    endWord()
    if (awaiting) unsure()
    const operator = /^(?:&>>|&>|<<<|<<|<>|<&|<\(|<|>>|>\||>&|>\(|>)/.exec(line.slice(at, at + 3))![0]
    at += operator.length
    if (operator === '>&' || operator === '<&') {
      const copied = /^[ \t]*(?:\d+-?|-)(?=[\s;&|()<>]|$)/.exec(line.slice(at, at + 32))
      if (copied) {
        at += copied[0].length
        return
      }
    }
    if (operator.endsWith('(') || operator.startsWith('<<') || operator === '<>' || operator === '<&') unsure()
    awaiting = operator.startsWith('<') ? 'read' : 'write'
  }
  const parenthesis = () => {
    if (line[at] === '(') {
      // Elsewhere it begins a function, a list of values or a pattern.
      if (isFresh()) depth++
      else unsure()
      endCommand()
    } else {
      endCommand()
      if (depth > 0) depth--
      else unsure()
      closed = true
    }
    at++
  }
  const operator = () => {
    if (begins('&>')) return redirect()
    const text = /^(?:;;&|;;|;&|&&|\|\||\|&|[;&|])/.exec(line.slice(at, at + 3))![0]
    if (/^;[;&]/.test(text)) unsure()
    endCommand()
    at += text.length
  }
  const comment = () => {
    unsure()
    const end = line.indexOf('\n', at)
    at = end < 0 ? line.length : end
  }

  const step = () => {
    plain.lastIndex = at
    const stretch = plain.exec(line)
    if (stretch) return add(stretch[0])
    switch (line[at]!) {
      case '\n':
        endCommand()
        at++
        return
      case ' ':
      case '\t':
        endWord()
        at++
        return
      case '\\':
        return escaped(/[^]/)
      case "'":
        return singleQuoted()
      case '"':
        return doubleQuoted()
      case '$':
        return dollar()
      case '#':
        return word ? add('#') : comment()
      case ';':
      case '&':
      case '|':
        return operator()
      case '(':
      case ')':
        return parenthesis()
      case '<':
      case '>':
        return redirect()
      default:
        // A backtick, or a blank that only looks like one.
        unsure()
        return add(line[at]!)
    }
  }

  return {
    read(): CommandLine {
      while (at < line.length) step()
      endCommand()
      // No command prints control characters for a reason that a pattern could know of.
      // oxlint-disable-next-line no-control-regex
      if (depth > 0 || /[\x00-\x08\x0b-\x1f\x7f]/.test(line)) unsure()
      return { commands, understood }
    },
  }
}
