import { CommanderError } from 'commander'
import { wantsJson } from './errors/error-record.ts'
import { exitCodeOf } from './errors/exit.ts'
import { endWithReader } from './screen/output.ts'
import { createProgram } from './program.ts'
import { reportError } from './errors/report-error.ts'

endWithReader()
try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = failed(error)
}

/** Reports an error and returns its exit code. */
function failed(error: unknown): number {
  const isCommanders = error instanceof CommanderError
  // `--help` and `--version` end with a CommanderError too, with code 0.
  if (isCommanders && error.exitCode === 0) return 0
  const json = wantsJson(process.argv)
  // As text, Commander has already printed its own errors.
  if (json || !isCommanders) reportError(error, json)
  return exitCodeOf(error)
}
