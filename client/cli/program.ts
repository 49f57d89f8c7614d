import { Command, InvalidArgumentError, Option } from 'commander'
import { permissionModes } from '../../protocol/wire.ts'
import type { UsageGroup } from '../index.ts'
import { sdkVersion } from '../version.ts'
import { approve, deny } from './commands/answer.ts'
import { approvals } from './commands/approvals.ts'
import { attach } from './commands/attach.ts'
import { serve } from './commands/serve.ts'
import { status } from './commands/status.ts'
import { doctor } from './commands/doctor.ts'
import { fork } from './commands/fork.ts'
import { gc } from './commands/gc.ts'
import { importConversation } from './commands/import.ts'
import { list } from './commands/list.ts'
import { logs } from './commands/logs.ts'
import { open } from './commands/open.ts'
import { move, queue } from './commands/queue.ts'
import { cancel, show, wait } from './commands/run-record.ts'
import { run } from './commands/run.ts'
import { set } from './commands/set.ts'
import { restart, stop } from './commands/stop.ts'
import { createToken, listTokens, revokeToken } from './commands/token.ts'
import { showUsage, usageGroups } from './commands/usage.ts'
import { durationOption, durationOrZeroOption } from './duration-option.ts'
import { wantsJson } from './error-record.ts'
import type { ExitCode } from './exit.ts'
import { logLevels } from './render/log-line.ts'
import type { CommonOptions } from './with-mux.ts'

/** The command line. Parsing throws `CommanderError`; `done` is told how the command ended. */
export function createProgram(done: (code: ExitCode) => void): Command {
  const program = new Command('muxd')
    .description('Many Claude Code sessions, held by one daemon, for several clients at once')
    .version(sdkVersion)
    .showHelpAfterError('(muxd COMMAND --help tells more)')
    .enablePositionalOptions()
  // With --json the error is printed in one line by `main.ts`; commands copy this.
  if (wantsJson(process.argv)) program.configureOutput({ writeErr() {} })
  common(program)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon or claude unavailable, 124 wait timed out, 130 cancelled',
    )
    .exitOverride()

  /** A command with the options common to all; they may stand before its name as well. */
  const command = (usage: string, description: string, parent = program) =>
    common(parent.command(usage).description(description))
  const options = <Options extends CommonOptions>(self: Command): Options => {
    const [before, after] = [program.opts<CommonOptions>(), self.opts<Options>()]
    return { ...before, ...after, start: before.start && after.start }
  }
  const ending =
    <Options extends CommonOptions>(act: (options: Options) => Promise<ExitCode>) =>
    async (_: object, self: Command) =>
      done(await act(options<Options>(self)))
  const endingOf =
    <Id extends string | string[] | undefined, Options extends CommonOptions>(
      act: (id: Id, options: Options) => Promise<ExitCode>,
    ) =>
    async (id: Id, _: object, self: Command) =>
      done(await act(id, options<Options>(self)))

  command('run', 'start a run and watch it; Ctrl-C cancels it')
    .argument('[prompt]', 'what to do; what comes on standard input is put below it; - or nothing: the prompt is there')
    .option('--no-stdin', 'do not read standard input')
    .option('-C, --directory <dir>', 'where to work (default: here)')
    .option('-s, --session <id>', 'go on in this session')
    .option('--model <name>', 'the model to use')
    .addOption(new Option('--permission-mode <mode>', 'what may be done without asking').choices(permissionModes))
    .addOption(new Option('--approvals <policy>', 'what becomes of what no rule decides').choices(['ask', 'deny']))
    .option('--allow <rule>', 'allowed without asking, as Bash(git status *); again for another', another)
    .option('--ask <rule>', 'always asked about, also under --approvals deny', another)
    .option('--deny <rule>', 'denied without asking', another)
    .option('--title <text>', 'title of the new session')
    .addOption(
      new Option('--timeout <duration>', 'end it after so long, as 90s, 10m or 1h30m').argParser(durationOption),
    )
    .addOption(new Option('--inactivity <duration>', 'end it when nothing comes for so long').argParser(durationOption))
    .addOption(new Option('--max-turns <count>', 'at most so many requests to the model').argParser(wholeNumber))
    .addOption(new Option('--max-budget <usd>', 'end it when it has cost so much').argParser(dollars))
    .option('-d, --detach', 'print the id of the run and return')
    .action(endingOf(run))
  command('ls', 'list sessions: waiting and running ones first, then by last use')
    .addOption(new Option('-n, --limit <count>', 'at most so many').default(50).argParser(wholeNumber))
    .action(ending(list))
  command('queue', 'the prompts of a session that wait, the next one first')
    .argument('<session>')
    .action(endingOf(queue))
  command('move', 'give a queued run another place')
    .argument('<run>')
    .addOption(new Option('--to <place>', 'its new place: 1 is the next').makeOptionMandatory().argParser(wholeNumber))
    .action(endingOf(move))
  command('attach', 'watch a run until it ends, or a session until Ctrl-C')
    .argument('<session|run>')
    .addOption(new Option('--from <seq>', 'from this event on').argParser(wholeNumber))
    .action(endingOf(attach))
  command('approvals', 'what awaits an answer')
    .option('-s, --session <id>', 'of this session')
    .option('-w, --watch', 'and what comes, until Ctrl-C')
    .action(ending(approvals))
  command('approve', 'say yes to what was asked')
    .argument('<approval>')
    .option('--remember', 'and do not ask for the like again in this session')
    .option('--input <json>', 'use the tool with this input instead')
    .option('--answer <question=label>', 'what is chosen; again for another', another)
    .action(endingOf(approve))
  command('deny', 'say no to what was asked')
    .argument('<approval>')
    .option('-m, --message <text>', 'why; Claude reads it')
    .option('--interrupt', 'and end the turn')
    .action(endingOf(deny))
  command('cancel', 'ask for the end of runs')
    .argument('<run...>', 'runs, or sessions for their latest')
    .option('--reason <text>', 'others see it')
    .addOption(new Option('--terminate', 'end its process').conflicts('kill'))
    .option('--kill', 'kill its process and what that started')
    .action(endingOf(cancel))
  command('wait', 'wait until runs have ended; the exit code is that of the worst end')
    .argument('<run...>', 'runs, or sessions for their latest')
    .addOption(
      new Option('--timeout <duration>', 'give up after so long, with exit code 124').argParser(durationOrZeroOption),
    )
    .action(endingOf(wait))
  command('show', 'what a run was asked and what it answered')
    .argument('<run>', 'a run, or a session for its latest')
    .action(endingOf(show))
  command('usage', 'what runs have cost, by day and model')
    .addOption(new Option('--days <count>', 'the last so many, today included').default(30).argParser(wholeNumber))
    .addOption(
      new Option('--by <what>', `${usageGroups.join(', ')}; several with commas between`)
        .default(['day', 'model'], 'day,model')
        .argParser(groups),
    )
    .option('-s, --session <id>', 'of this session only')
    .action(ending(showUsage))
  command('set', 'change a session, and the process it has')
    .argument('<session>')
    .option('--title <text>', 'its title')
    .addOption(new Option('--label <name=value>', 'a label, the others stay; name= removes it').argParser(labels))
    .option('--model <name>', 'the model to use from now on')
    .addOption(
      new Option('--permission-mode <mode>', 'what may be done without asking from now on').choices(permissionModes),
    )
    .option('--anew', 'give its conversation up: the next run begins another')
    .action(endingOf(set))
  command('fork', 'a new session that goes on from where this one is')
    .argument('<session>')
    .option('--title <text>', "title of the new session (default: this one's)")
    .action(endingOf(fork))
  command('import', 'take up a conversation that was begun with claude in a terminal')
    .argument('[id]', "Claude Code's session id; without it the conversations of the directory are listed")
    .option('-C, --directory <dir>', 'where it was begun (default: here)')
    .option('--last', 'the one that was used last')
    .option('--title <text>', 'title of the new session')
    .addOption(new Option('-n, --limit <count>', 'list at most so many').default(20).argParser(wholeNumber))
    .action(endingOf(importConversation))
  command('status', 'how the daemon is').action(ending(status))
  command('stop', 'stop the daemon, and what runs')
    .option('--keep-sessions', 'what runs goes on; the next daemon takes it over')
    .action(ending(stop))
  command('restart', 'another daemon in place of the present one; what runs goes on')
    .option('--wait', 'not before no run goes on or is queued')
    .option('--simulate', 'the next one plays Claude Code with the simulator: no account, nothing real')
    .action(ending(restart))
  command('gc', 'remove what is not to be kept any longer, now')
    .option('--dry-run', 'only tell what would go')
    .action(ending(gc))
  const token = program.command('token').description('who may come in: make, list and revoke tokens')
  command('create', 'let another program in; its secret alone goes to standard output', token)
    .argument('<name>', 'whose it is, for the list')
    .option('--observe', 'it may read and change nothing')
    .addOption(
      new Option('--expires <time>', 'it ends by itself after so long, as 12h or 7d').argParser(durationOption),
    )
    .action(endingOf(createToken))
  command('ls', 'list tokens', token).action(ending(listTokens))
  command('revoke', 'it lets in no more, and closes what came in with it; a built-in one is replaced', token)
    .argument('<token>', 'its id or name')
    .action(endingOf(revokeToken))
  command('logs', 'what the daemons of this home have logged')
    .addOption(new Option('-n, --lines <count>', 'the last so many').default(100).argParser(wholeNumber))
    .option('-f, --follow', 'and what comes, until Ctrl-C')
    .addOption(new Option('--level <level>', 'this bad and worse').choices(logLevels).default('debug'))
    .action(ending(logs))
  command('open', 'show the workspace in a browser')
    .option('--observe', 'a link for somebody who may only watch')
    .option('--print', 'print the link instead')
    .action(ending(open))
  command('doctor', 'check what muxd needs').action(ending(doctor))
  program
    .command('serve', { hidden: false })
    .description('be the daemon (muxd serve --help tells its options)')
    .argument('[options...]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (rest: string[]) => {
      const { home } = program.opts<CommonOptions>()
      await serve([...(home === undefined ? [] : ['--home', home]), ...rest])
    })
  return program
}

const common = (command: Command) =>
  command
    .option('--home <dir>', 'home directory of the daemon (MUXD_HOME)')
    .option('--url <url>', 'a daemon elsewhere: ws://HOST:PORT/ws')
    .option('--token <token>', 'its token')
    .option('--as <name>', 'what others see as the author of what you do (MUXD_CLIENT_NAME)')
    .option('--no-start', 'do not start a daemon when none runs')
    .option('--json', 'one JSON value a line, nothing else on standard output')

/** An option that may be given more than once. */
const another = (text: string, before: string[] = []): string[] => [...before, text]

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('expected a whole number from 1.')
  return Number(text)
}

function dollars(text: string): number {
  if (!/^\d*\.?\d+$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('expected an amount of USD above 0.')
  return Number(text)
}

/** Given again, it is one more. */
function labels(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected name=value.')
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) }
}

function groups(text: string): UsageGroup[] {
  const names = text.split(',')
  const known = usageGroups.filter(group => names.includes(group))
  if (known.length !== names.length) throw new InvalidArgumentError(`expected some of ${usageGroups.join(', ')}.`)
  return known
}
