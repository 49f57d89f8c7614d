import { fit, harmless, widthOf } from './text.ts'
import { wrapStyled } from './wrap.ts'
import { wholeCharacters } from './whole-characters.ts'

/** How far a tool has come; what cannot rewrite a line shows only `running` and `ended`. */
export type Phase = 'announced' | 'running' | 'progress' | 'ended'

/** Where a run is shown. */
export interface Sink {
  /** More of the answer, as it is written. */
  answer(text: string): void
  /** What follows of the answer is a piece of its own. */
  paragraph(): void
  /** The piece of the answer that was written last is complete. */
  pieceEnd(): void
  /** More of what leads to it. */
  thought(text: string): void
  /** One line beside the answer. */
  line(text: string): void
  /** A line beside the answer about something that goes on, known by `key`: rewritten in place where that is possible. */
  live(key: string, text: string, phase: Phase): void
  /** A line within the answer that says something of what is above it. */
  remark(text: string): void
  /** A word that is gone as soon as anything else is shown; only where that is possible. */
  quiet(text: string): void
  end(): void
}

export interface Terminal {
  write(text: string): void
  columns(): number
  rows(): number
  dim(text: string): string
}

/**
 * One screen for everything. The last lines may be live: as long as nothing else is written they are redrawn when one of
 * them changes; what is written below them freezes them, and their end is told on a line of its own.
 */
export function terminalSink(terminal: Terminal): Sink {
  let live: { key: string; text: string }[] = []
  let drawnAt = 0
  let open: 'answer' | 'thought' | undefined
  let lineStart = true
  // A quiet word stands behind the cursor, which has not moved.
  let isQuiet = false
  const pending = { answer: wholeCharacters(), thought: wholeCharacters() }

  const write = (text: string) => {
    terminal.write(isQuiet ? `\u001b[K${text}` : text)
    isQuiet = false
  }
  const draw = (lines: { text: string }[]) => {
    for (const { text } of lines) write(`${fitStyled(text, terminal.columns() - 1)}\n`)
    drawnAt = terminal.columns()
  }
  const startLine = () => {
    if (!lineStart) write('\n')
    lineStart = true
    open = undefined
  }
  const stream = (kind: 'answer' | 'thought', text: string) => {
    const clean = harmless(pending[kind].add(text))
    if (!clean) return
    live = []
    if (open !== kind) startLine()
    open = kind
    lineStart = clean.endsWith('\n')
    write(kind === 'answer' ? clean : clean.replace(/[^\n]+/g, part => terminal.dim(part)))
  }

  return {
    answer: text => stream('answer', text),
    paragraph() {
      if (open !== 'answer') return
      startLine()
      write('\n')
    },
    pieceEnd() {},
    thought: text => stream('thought', text),
    line(text) {
      startLine()
      live = []
      write(`${wrapStyled(text, terminal.columns() - 1)}\n`)
    },
    live(key, text, phase) {
      // Wrapped anew by the terminal, or scrolled out of reach: lines that can no longer be found are left alone.
      if (drawnAt !== terminal.columns()) live = []
      const entry = live.find(each => each.key === key)
      if (!entry) {
        if (phase === 'progress') return
        startLine()
        live = [...live, { key, text }].slice(-Math.max(1, terminal.rows() - 2))
        draw([{ text }])
        return
      }
      entry.text = text
      const from = live.indexOf(entry)
      write(`\u001b[${live.length - from}A\u001b[J`)
      draw(live.slice(from))
    },
    remark(text) {
      this.line(text)
    },
    quiet(text) {
      // Where the line has no room left it is cut by the terminal, which must not wrap it: then it could not be found again.
      const word = `${lineStart ? '' : '  '}${terminal.dim(text)}`
      write(`\u001b7\u001b[?7l${word}\u001b[?7h\u001b8`)
      isQuiet = true
    },
    end() {
      if (isQuiet) write('')
      startLine()
    },
  }
}

export interface Pipes {
  answer(text: string): void
  progress(text: string): void
  /** Both are one file or pipe (`2>&1`). */
  merged?: boolean
}

/**
 * The answer alone on one stream, and what is beside it line by line on the other. The answer may end on a terminal all
 * the same (`muxd run … | less -R`): it is as harmless as there. Who wants it byte for byte takes `--json`. Where the two
 * are merged, a line beside the answer ends the answer's line first.
 */
export function pipeSink(pipes: Pipes): Sink {
  let lineStart = true
  let empty = true
  const pending = wholeCharacters()
  const write = (text: string) => {
    if (!text) return
    lineStart = text.endsWith('\n')
    empty = false
    pipes.answer(text)
  }
  const answer = (text: string) => write(harmless(pending.add(text)))
  const endLine = () => {
    write(pending.rest())
    if (!lineStart) write('\n')
  }
  const progress = (text: string) => {
    if (pipes.merged) endLine()
    pipes.progress(`${text}\n`)
  }
  return {
    answer,
    paragraph() {
      endLine()
      if (!empty) write('\n')
    },
    pieceEnd: endLine,
    thought() {},
    line: progress,
    live(_, text, phase) {
      if (phase === 'running' || phase === 'ended') progress(text)
    },
    remark(text) {
      endLine()
      write(`[${text}]\n`)
    },
    quiet() {},
    end: endLine,
  }
}

/** Cut to the screen's width without counting, or cutting through, the colours. */
export function fitStyled(text: string, columns: number): string {
  const parts = text.split(colour)
  let left = columns
  return parts
    .map((part, index) => {
      if (index % 2) return part
      const kept = left > 0 ? fit(part, left) : ''
      left -= widthOf(part)
      return kept
    })
    .join('')
}

// oxlint-disable-next-line no-control-regex
const colour = /(\u001b\[[\d;]*m)/
