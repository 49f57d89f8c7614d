import { CommanderError } from 'commander'
import { RpcError } from '../index.ts'
import { exitCodeOf } from './exit.ts'
import { endWithReader, jsonLine, say } from './output.ts'
import { createProgram } from './program.ts'
import { oneLine } from './render/text.ts'

endWithReader()
try {
  await createProgram(code => {
    process.exitCode = code
  }).parseAsync()
} catch (error) {
  process.exitCode = failed(error)
}

/** What went wrong on standard error, and the exit code for it. */
function failed(error: unknown): number {
  // Commander has said what it had to say; `--help` and `--version` end like this too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodeOf(error)
  const { message } = error as Error
  if (process.argv.includes('--json') && error instanceof RpcError) {
    const { code, data } = error
    say(jsonLine({ error: { code, message, data } }))
  } else {
    for (const [index, line] of message.split('\n').entries()) say(`${index ? '  ' : 'muxd: '}${oneLine(line)}`)
  }
  return exitCodeOf(error)
}
