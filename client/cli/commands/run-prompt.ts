import { Usage } from '../errors/exit.ts'
import { say } from '../screen/output.ts'
import { checkSize, readInput, readPipedInput } from './piped-input.ts'

/**
 * Returns the prompt of `muxd run`: the argument, followed by standard input as context. Without an argument, or with
 * `-`, standard input is the prompt.
 */
export async function readPrompt(given: string | undefined, readsInput: boolean): Promise<string> {
  if (given === undefined || given === '-') {
    if (!readsInput) throw new Usage('no prompt: --no-stdin needs one, as in muxd run --no-stdin "what to do"')
    if (given === undefined && process.stdin.isTTY) {
      throw new Usage('no prompt: muxd run "what to do", or give it on standard input')
    }
    return (await readInput()) ?? ''
  }
  const input = readsInput ? await readPipedInput(sayNothingCame) : undefined
  const prompt = input === undefined ? given : `${given}\n\n${input}`
  checkSize(Buffer.byteLength(prompt))
  return prompt
}

const sayNothingCame = () =>
  say('muxd: nothing came on standard input for 3 s; going on without it (--no-stdin does not wait)')
