import { Command, InvalidArgumentError, Option } from 'commander'
import { permissionModes } from '../../protocol/wire.ts'
import type { UsageGroup } from '../sdk/index.ts'
import { sdkVersion } from '../sdk/version.ts'
import { approve, deny } from './commands/answer.ts'
import { approvals } from './commands/approvals.ts'
import { attach } from './commands/attach.ts'
import { close } from './commands/close.ts'
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

/** Creates the command line. Parsing throws `CommanderError`. Each command calls `done` with its exit code. */
export function createProgram(done: (code: ExitCode) => void): Command {
  const program = new Command('muxd')
    .description('Many Claude Code sessions, held by one daemon, for several clients at once')
    .version(sdkVersion)
    .showHelpAfterError('(see muxd COMMAND --help)')
    .enablePositionalOptions()
  // With --json, `main.ts` prints errors as one line. Subcommands copy this setting.
  if (wantsJson(process.argv)) program.configureOutput({ writeErr() {} })
  common(program)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon or claude unavailable, 124 wait timed out, 130 cancelled',
    )
    .exitOverride()

  /** Creates a command with the common options. They may also stand before the command's name. */
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

  command('run', 'start a run and show it; Ctrl-C cancels it')
    .argument(
      '[prompt]',
      'what to do; standard input is added below it; with - or without a prompt, standard input is the prompt',
    )
    .option('--no-stdin', 'do not read standard input')
    .option('-C, --directory <dir>', 'where to work (default: here)')
    .option('-s, --session <id>', 'continue this session')
    .option('--model <name>', 'the model to use')
    .addOption(new Option('--permission-mode <mode>', 'what may be done without asking').choices(permissionModes))
    .addOption(new Option('--approvals <policy>', 'ask or deny what no rule decides').choices(['ask', 'deny']))
    .option('--allow <rule>', 'allow without asking, as Bash(git status *); repeatable', another)
    .option('--ask <rule>', 'always ask, also with --approvals deny; repeatable', another)
    .option('--deny <rule>', 'deny without asking; repeatable', another)
    .option('--title <text>', 'title of the new session')
    .addOption(
      new Option('--timeout <duration>', 'end the run after this time, as 90s, 10m or 1h30m').argParser(durationOption),
    )
    .addOption(
      new Option('--inactivity <duration>', 'end the run after this time without output').argParser(durationOption),
    )
    .addOption(new Option('--max-turns <count>', 'at most this many requests to the model').argParser(wholeNumber))
    .addOption(new Option('--max-budget <usd>', 'end the run at this cost').argParser(dollars))
    .option('-d, --detach', 'print the id of the run and return')
    .action(endingOf(run))
  command('ls', 'list sessions: waiting and running ones first, then by last use')
    .addOption(new Option('-n, --limit <count>', 'at most this many').default(50).argParser(wholeNumber))
    .action(ending(list))
  command('queue', 'list the queued prompts of a session, the next one first')
    .argument('<session>')
    .action(endingOf(queue))
  command('move', 'move a queued run to another place')
    .argument('<run>')
    .addOption(new Option('--to <place>', 'its new place: 1 is the next').makeOptionMandatory().argParser(wholeNumber))
    .action(endingOf(move))
  command('attach', 'watch a run until it ends, or a session until Ctrl-C')
    .argument('<session|run>')
    .addOption(new Option('--from <seq>', 'start with this event').argParser(wholeNumber))
    .action(endingOf(attach))
  command('approvals', 'list what waits for an answer')
    .option('-s, --session <id>', 'of this session')
    .option('-w, --watch', 'go on with new ones until Ctrl-C')
    .action(ending(approvals))
  command('approve', 'allow a tool, answer a question or approve a plan')
    .argument('<approval>')
    .option('--remember', 'do not ask again for the same in this session')
    .option('--input <json>', 'give the tool this input instead')
    .option('--answer <question=label>', 'the answer to a question; repeatable', another)
    .action(endingOf(approve))
  command('deny', 'deny a tool, a question or a plan')
    .argument('<approval>')
    .option('-m, --message <text>', 'the reason, for Claude')
    .option('--interrupt', 'end the turn as well')
    .action(endingOf(deny))
  command('cancel', 'cancel runs')
    .argument('<run...>', 'runs, or sessions for their latest')
    .option('--reason <text>', 'the reason, for everybody who watches')
    .addOption(new Option('--terminate', 'end the process').conflicts('kill'))
    .option('--kill', 'kill the process and everything it started')
    .action(endingOf(cancel))
  command('wait', 'wait until runs have ended; exits with the code of the worst end')
    .argument('<run...>', 'runs, or sessions for their latest')
    .addOption(
      new Option('--timeout <duration>', 'give up after this time, with exit code 124').argParser(durationOrZeroOption),
    )
    .action(endingOf(wait))
  command('show', 'show the prompt and the answer of a run')
    .argument('<run>', 'a run, or a session for its latest')
    .action(endingOf(show))
  command('close', 'end the process of a session; its log stays, and a next run starts it again')
    .argument('<session>')
    .option('--force', 'also in the middle of a run, which is cancelled')
    .option('--sweep', 'also end what Claude Code has left running')
    .action(endingOf(close))
  command('usage', 'show what runs have cost, by day and model')
    .addOption(new Option('--days <count>', 'the last days, today included').default(30).argParser(wholeNumber))
    .addOption(
      new Option('--by <what>', `${usageGroups.join(', ')}; separate several with commas`)
        .default(['day', 'model'], 'day,model')
        .argParser(groups),
    )
    .option('-s, --session <id>', 'of this session only')
    .action(ending(showUsage))
  command('set', 'change the title, labels or options of a session')
    .argument('<session>')
    .option('--title <text>', 'the title')
    .addOption(new Option('--label <name=value>', 'set a label; name= removes it').argParser(labels))
    .option('--model <name>', 'the model to use from now on')
    .addOption(
      new Option('--permission-mode <mode>', 'what may be done without asking from now on').choices(permissionModes),
    )
    .option('--anew', 'the next run starts a new conversation')
    .action(endingOf(set))
  command('fork', 'start a new session that continues from this one')
    .argument('<session>')
    .option('--title <text>', "title of the new session (default: the old one's)")
    .action(endingOf(fork))
  command('import', 'continue a conversation that was started with claude in a terminal')
    .argument('[id]', "Claude Code's session id; without it, list the conversations of the directory")
    .option('-C, --directory <dir>', 'where it was started (default: here)')
    .option('--last', 'the conversation that was used last')
    .option('--title <text>', 'title of the new session')
    .addOption(new Option('-n, --limit <count>', 'list at most this many').default(20).argParser(wholeNumber))
    .action(endingOf(importConversation))
  command('status', 'show the state of the daemon').action(ending(status))
  command('stop', 'stop the daemon and all runs')
    .option('--keep-sessions', 'runs go on, and the next daemon takes them over')
    .action(ending(stop))
  command('restart', 'replace the daemon with a new one; runs go on')
    .option('--wait', 'first wait until no run is active or queued')
    .option('--simulate', 'use the simulator in place of Claude Code: no account, nothing real')
    .action(ending(restart))
  command('gc', 'delete expired sessions and logs now')
    .option('--dry-run', 'only show what would be deleted')
    .action(ending(gc))
  const token = program.command('token').description('create, list and revoke access tokens')
  command('create', 'create a token; standard output gets only its secret', token)
    .argument('<name>', 'a name for the list')
    .option('--observe', 'it can read, and change nothing')
    .addOption(new Option('--expires <time>', 'it expires after this time, as 12h or 7d').argParser(durationOption))
    .action(endingOf(createToken))
  command('ls', 'list tokens', token).action(ending(listTokens))
  command('revoke', 'revoke a token and close its connections; a built-in one is replaced', token)
    .argument('<token>', 'its id or name')
    .action(endingOf(revokeToken))
  command('logs', 'show the log of the daemon')
    .addOption(new Option('-n, --lines <count>', 'the last lines').default(100).argParser(wholeNumber))
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .addOption(new Option('--level <level>', 'this level and worse').choices(logLevels).default('debug'))
    .action(ending(logs))
  command('open', 'open the workspace in a browser')
    .option('--observe', 'a link that can only watch')
    .option('--print', 'print the link instead')
    .action(ending(open))
  command('doctor', 'check the installation').action(ending(doctor))
  program
    .command('serve', { hidden: false })
    .description('run the daemon in the foreground (muxd serve --help lists its options)')
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
    .option('--url <url>', 'another daemon: ws://HOST:PORT/ws')
    .option('--token <token>', 'its token')
    .option('--as <name>', 'your name for others (MUXD_CLIENT_NAME)')
    .option('--no-start', 'do not start a daemon when none runs')
    .option('--json', 'print one JSON value a line and nothing else')

/** Collects the values of a repeatable option. */
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

/** Collects the labels of a repeatable option. */
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
