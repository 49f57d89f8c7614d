import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** Reads lines from a person at the terminal, one at a time. */
export interface LinePrompt {
  /** Shows the prompt and resolves with the line, or with undefined if the prompt was closed or the input ended. */
  ask(prompt: string): Promise<string | undefined>
  /** Releases the keyboard and erases a partly typed line. */
  close(): void
}

/** Input in this time is discarded, because it was typed before the question appeared. */
const typedAheadMs = 100

/** Takes the keyboard. Ctrl-C calls `onInterrupt` and raises no signal meanwhile. */
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
    // After Ctrl-D, the output continues on a new line.
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
