import { fstatSync } from 'node:fs'
import { limits } from '../../protocol/limits.ts'
import { Usage } from './exit.ts'

/** A pipe that has brought nothing for so long is taken for one that never will. */
const silentMs = 3_000

/**
 * The text on standard input where that is a pipe or a file; undefined where it is something else, or is empty, or brings
 * nothing within 3 s (then `onSilence` is called). Throws `Usage` when it is too large for a prompt.
 */
export async function readPipedInput(onSilence: () => void): Promise<string | undefined> {
  if (!isPipeOrFile()) return undefined
  const text = await readInput(onSilence)
  return text === undefined || text.trim() === '' ? undefined : text
}

/** All of standard input; undefined when `onSilence` is given and nothing comes in time. */
export async function readInput(onSilence?: () => void): Promise<string | undefined> {
  const { stdin } = process
  const chunks: Buffer[] = []
  let size = 0
  const timer = onSilence && setTimeout(() => stdin.destroy(new Silent()), silentMs)
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      clearTimeout(timer)
      chunks.push(chunk)
      size += chunk.length
      checkSize(size)
    }
  } catch (error) {
    if (!(error instanceof Silent)) throw error
    onSilence?.()
    return undefined
  } finally {
    clearTimeout(timer)
    // Whoever writes to it still must not keep this program from ending.
    stdin.destroy()
  }
  return Buffer.concat(chunks).toString()
}

/** `bytes` of a prompt, or of a part of it. Throws `Usage` when the daemon would refuse them. */
export function checkSize(bytes: number): void {
  const { maxPromptBytes } = limits
  if (bytes <= maxPromptBytes) return
  throw new Usage(
    `the prompt with standard input is larger than ${maxPromptBytes} bytes (3 MiB), the most there may be`,
  )
}

class Silent extends Error {}

function isPipeOrFile(): boolean {
  try {
    const facts = fstatSync(0)
    return facts.isFIFO() || facts.isFile() || facts.isSocket()
  } catch {
    // It is closed.
    return false
  }
}
