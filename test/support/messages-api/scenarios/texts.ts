import { message, text, thinking } from '../reply.ts'
import type { Scenario } from './scenario.ts'

export const texts: Record<string, Scenario> = {
  /** For prompts without a marker. */
  plain: () => message([text('Hello from the stand-in.')]),
  /** Repeats the argument, so that tests can tell runs apart. */
  text: ({ argument }) => message([text(`The answer is ${argument || 'forty-two'}, says the stand-in.`)]),
  thinking: () => message([thinking('Let me think about this for a moment.'), text('Thought through.')]),
  /** Endless text, one word every 20 ms, until the caller hangs up. */
  endless: () => message([{ type: 'text', pieces: counting() }], { pieceMs: 20 }),
  /** Sends no response headers until the caller hangs up. */
  silent: () => message([text('Too late.')], { delayMs: Infinity }),
  /** 1 MB of text in pieces of 4 KB. */
  big: () =>
    message([
      { type: 'text', pieces: Array.from({ length: 256 }, (_, index) => `${index} `.padEnd(4_095, 'x') + '\n') },
    ]),
}

function* counting(): Generator<string> {
  for (let count = 1; ; count++) yield `${count} `
}
