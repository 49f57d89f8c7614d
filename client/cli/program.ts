import { Command } from 'commander'
import { sdkVersion } from '../sdk/version.ts'
import { withCommonOptions } from './command/command.ts'
import { declareAnswers } from './commands/answer.ts'
import { declareApprovals } from './commands/approvals.ts'
import { declareAttach } from './commands/attach.ts'
import { declareClose } from './commands/close.ts'
import { declareDoctor } from './commands/doctor.ts'
import { declareFork } from './commands/fork.ts'
import { declareGc } from './commands/gc.ts'
import { declareImport } from './commands/import.ts'
import { declareList } from './commands/list.ts'
import { declareLogs } from './commands/logs.ts'
import { declareOpen } from './commands/open.ts'
import { declareQueue } from './commands/queue.ts'
import { declareRun } from './commands/run.ts'
import { declareRunRecord } from './commands/run-record.ts'
import { declareServe } from './commands/serve.ts'
import { declareSet } from './commands/set.ts'
import { declareStatus } from './commands/status.ts'
import { declareStop } from './commands/stop.ts'
import { declareToken } from './commands/token.ts'
import { declareUsage } from './commands/usage.ts'
import { wantsJson } from './errors/error-record.ts'

/** Each declares one command or a few related ones, in the order of the help. */
const commands: readonly ((program: Command) => void)[] = [
  declareRun,
  declareList,
  declareQueue,
  declareAttach,
  declareApprovals,
  declareAnswers,
  declareRunRecord,
  declareClose,
  declareUsage,
  declareSet,
  declareFork,
  declareImport,
  declareStatus,
  declareStop,
  declareGc,
  declareToken,
  declareLogs,
  declareOpen,
  declareDoctor,
  declareServe,
]

/** Creates the command line. Parsing throws `CommanderError`. A command sets the exit code of the process. */
export function createProgram(): Command {
  const program = new Command('muxd')
    .description('Many Claude Code sessions, held by one daemon, for several clients at once')
    .version(sdkVersion)
    .showHelpAfterError('(see muxd COMMAND --help)')
    .enablePositionalOptions()
  withCommonOptions(program)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon or claude unavailable, 124 wait timed out, 130 cancelled',
    )
    .exitOverride()
  // With --json, `main.ts` prints errors as one line. Subcommands copy this setting.
  if (wantsJson(process.argv)) program.configureOutput({ writeErr() {} })
  for (const declare of commands) declare(program)
  return program
}
