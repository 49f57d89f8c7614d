/** A part of a Markdown text that can be rendered alone. Its key is the position in the log where it begins. */
export interface Block {
  readonly key: string
  readonly source: string
}

/**
 * Cuts Markdown into blocks while it is written, so that only the last block has to be parsed again. It cuts where
 * Markdown ends a block, and inside very long blocks: a code block then continues in the next block, and a paragraph
 * becomes two.
 */
export interface Blocks {
  readonly all: readonly Block[]
  /** `seq`: the `seq` of the event with the text. */
  push(delta: string, seq: number): void
}

/**
 * In characters: a block is cut after the line that exceeds `longBlock`, a line is broken at a space before `longLine`.
 */
const longBlock = 6_000
const longLine = 2_000

export function createBlocks(): Blocks {
  const finished: Block[] = []
  let key = ''
  let source = ''
  // Length of the start of `source` that repeats the opening of a code block from an earlier block.
  let repeated = 0
  // The start of the current line, in `source` and in the log.
  let lineAt = 0
  let lineKey = ''
  let fence: { mark: string; opening: string } | undefined
  let afterBlank = false
  let isList = false

  /** Ends the block before `at`. The next one begins at position `nextKey` of the log. */
  function cut(at: number, nextKey: string): void {
    const said = source.slice(repeated, at)
    const rest = source.slice(at)
    // Skip a block that would only close a continued code block.
    if (said.trim() && !(repeated && /^\s*(`+|~+)\s*$/.test(said))) finished.push({ key, source: source.slice(0, at) })
    const opening = fence?.opening ?? ''
    repeated = opening.length
    source = opening + rest
    lineAt = repeated
    key = nextKey
    isList = false
    afterBlank = false
  }

  /** Handles the complete line from `lineAt` to the end of `source`. The next line begins at `nextKey`. */
  function lineEnded(nextKey: string): void {
    const line = source.slice(lineAt, -1)
    if (fence) {
      const closed = closes(line, fence.mark)
      if (closed) fence = undefined
      // In a list the code block belongs to its item.
      if ((closed && !isList) || source.length > longBlock) cut(source.length, nextKey)
    } else if (!line.trim()) {
      afterBlank = true
    } else {
      const opening = /^\s*(`{3,}|~{3,})[^`]*$/.exec(line)
      const goesOn = isList && (/^(\s{2,}|\t)/.test(line) || isItem(line))
      const breaks = (afterBlank && !goesOn) || source.length > longBlock || (opening && !isList)
      if (breaks && lineAt > repeated) cut(lineAt, lineKey)
      afterBlank = false
      if (opening) fence = { mark: opening[1]!, opening: `${line}\n` }
      else if (isItem(line)) isList = true
    }
    lineAt = source.length
  }

  /** Breaks an overlong line at a space, or at `longLine` if there is none in its second half. */
  function breakLines(place: string): void {
    for (let piece = 1; source.length - lineAt > longLine; piece++) {
      const space = source.lastIndexOf(' ', lineAt + longLine)
      cut(space > lineAt + longLine / 2 ? space + 1 : lineAt + longLine, `${place}+${piece}`)
      lineKey = key
    }
  }

  return {
    get all() {
      return source.length > repeated ? [...finished, { key, source }] : finished
    },
    push(delta, seq) {
      if (!source) key = `${seq}.0`
      let line = 0
      for (let from = 0; from < delta.length; ) {
        const newline = delta.indexOf('\n', from)
        const end = newline < 0 ? delta.length : newline + 1
        if (lineAt === source.length) lineKey = `${seq}.${line}`
        source += delta.slice(from, end)
        from = end
        breakLines(`${seq}.${line}`)
        if (newline >= 0) lineEnded(`${seq}.${++line}`)
      }
    },
  }
}

const closes = (line: string, mark: string) => {
  const text = line.trim()
  return text.length >= mark.length && text === mark[0]!.repeat(text.length)
}

const isItem = (line: string) => /^\s{0,3}([-*+]|\d{1,9}[.)])\s/.test(line)
