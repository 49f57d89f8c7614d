import { fit, harmless, widthOf } from './text.ts'
import { wrapStyled } from './wrap.ts'
import { wholeCharacters } from './whole-characters.ts'

/** The progress of a tool. A sink that cannot rewrite lines shows only `running` and `ended`. */
export type Phase = 'announced' | 'running' | 'progress' | 'ended'

/** The output on which a run is shown. */
export interface Sink {
  /** Adds text of the answer. */
  answer(text: string): void
  /** Separates the following text of the answer from the text before. */
  paragraph(): void
  /** Ends the current piece of the answer. */
  pieceEnd(): void
  /** Adds text of the thinking. */
  thought(text: string): void
  /** Writes a line outside the answer. */
  line(text: string): void
  /**
   * Writes a line outside the answer about an ongoing activity, identified by `key`. Later calls rewrite the line in
   * place where that is possible.
   */
  live(key: string, text: string, phase: Phase): void
  /** Writes a line within the answer, about the text above it. */
  remark(text: string): void
  /** Shows a word until anything else is shown, where that is possible. */
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
 * Shows everything on one screen. The last lines may be live: while nothing else is written, a change redraws them.
 * Other output freezes them; a later change then writes a line of its own.
 */
export function terminalSink(terminal: Terminal): Sink {
  let live: { key: string; text: string }[] = []
  let drawnAt = 0
  let open: 'answer' | 'thought' | undefined
  let lineStart = true
  // A quiet word stands after the cursor, which has not moved.
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
      // After a resize, the terminal may have wrapped the lines or scrolled them out of reach, so they stay as they
      // are.
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
      // Without wrapping, the terminal cuts a word that does not fit. A wrapped word could not be erased.
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
  /** Both streams are one file or pipe (`2>&1`). */
  merged?: boolean
}

/**
 * Writes the answer to one stream, and the lines outside the answer to the other. The answer may still reach a terminal
 * (`muxd run … | less -R`), so it is made harmless; `--json` has it unchanged. If both streams are merged, a line
 * outside the answer first ends the answer's line.
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

/** Cuts text to the screen's width. Colour sequences have no width and are kept whole. */
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
