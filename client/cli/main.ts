import { CommanderError } from 'commander'
import { wantsJson } from './error-record.ts'
import { exitCodeOf } from './exit.ts'
import { endWithReader } from './output.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

endWithReader()
try {
  await createProgram(code => {
    process.exitCode = code
  }).parseAsync()
} catch (error) {
  process.exitCode = failed(error)
}

/** Reports what went wrong; returns the exit code for it. */
function failed(error: unknown): number {
  const isCommanders = error instanceof CommanderError
  // `--help` and `--version` end like this too, with 0.
  if (isCommanders && error.exitCode === 0) return 0
  const json = wantsJson(process.argv)
  // In words Commander has printed its own already.
  if (json || !isCommanders) reportError(error, json)
  return exitCodeOf(error)
}
