import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** Lines that a person types at the terminal, asked for one at a time. */
export interface LinePrompt {
  /** Undefined when there will be none: it was closed, or the input ended. */
  ask(prompt: string): Promise<string | undefined>
  /** Gives the keyboard back; a line that is being typed disappears. */
  close(): void
}

/** What was typed before there was a question is no answer to it: so long is it thrown away. */
const typedAheadMs = 100

/** Takes the keyboard. `onInterrupt` is told of Ctrl-C, which reaches nobody else meanwhile. */
export async function openLinePrompt(onInterrupt: () => void): Promise<LinePrompt> {
  const { stdin: input, stdout: output } = process
  const drop = (typed: Buffer) => {
    if (typed.includes(ctrlC)) onInterrupt()
  }
  input.setRawMode(true)
  input.on('data', drop)
  await delay(typedAheadMs)
  input.off('data', drop)

  const reader = createInterface({ input, output, terminal: true, historySize: 0 })
  let answer: ((line: string | undefined) => void) | undefined
  let isClosed = false
  const give = (line: string | undefined) => {
    answer?.(line)
    answer = undefined
  }
  reader.on('SIGINT', onInterrupt)
  reader.on('close', () => {
    // By Ctrl-D: what follows begins on a line of its own.
    if (answer) output.write('\n')
    isClosed = true
    give(undefined)
  })
  return {
    ask: prompt =>
      new Promise(resolve => {
        if (isClosed) return resolve(undefined)
        answer = resolve
        reader.question(prompt, give)
      }),
    close() {
      if (isClosed) return
      if (answer) {
        moveCursor(output, 0, -reader.getCursorPos().rows)
        cursorTo(output, 0)
        clearScreenDown(output)
        give(undefined)
      }
      reader.close()
    },
  }
}

const ctrlC = 0x03
