import { fstatSync } from 'node:fs'
import { limits } from '../../../protocol/limits.ts'
import { Usage } from '../errors/exit.ts'

/** A pipe that is silent for this time counts as one that never sends anything. */
const silentMs = 3_000

/**
 * Reads standard input if it is a pipe, socket or file. Resolves with undefined if it is something else, is empty, or
 * brings nothing within 3 s (then `onSilence` is called). Throws `Usage` if the text is too large for a prompt.
 */
export async function readPipedInput(onSilence: () => void): Promise<string | undefined> {
  if (!isPipeOrFile()) return undefined
  const text = await readInput(onSilence)
  return text === undefined || text.trim() === '' ? undefined : text
}

/**
 * Reads all of standard input. Resolves with undefined if `onSilence` is given and nothing arrives in time. Throws
 * `Usage` if the text is too large for a prompt.
 */
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
    // A process that still writes to it must not keep this program running.
    stdin.destroy()
  }
  return Buffer.concat(chunks).toString()
}

/** Throws `Usage` if `bytes` of a prompt, or of a part of it, exceed the daemon's limit. */
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
    // Standard input is closed.
    return false
  }
}
