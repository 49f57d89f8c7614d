import { type Command, InvalidArgumentError, Option } from 'commander'
import { permissionModes } from '../../../protocol/wire.ts'
import type { ApprovalOptions, ClaudeOptions, RunLimits, StartedRun } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { another, durationOption, wholeNumber } from '../command/option-values.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { asksHere, createFollower, type Follower } from '../follow/follow.ts'
import { print, printJson, say } from '../screen/output.ts'
import { queuedFor } from '../render/run-facts.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'
import { readPrompt } from './run-prompt.ts'

export interface RunCommandOptions extends CommonOptions {
  directory?: string
  session?: string
  model?: string
  permissionMode?: string
  title?: string
  timeout?: number
  inactivity?: number
  maxTurns?: number
  maxBudget?: number
  approvals?: 'ask' | 'deny'
  allow?: string[]
  ask?: string[]
  deny?: string[]
  detach?: true
  /** False with `--no-stdin`. */
  stdin: boolean
}

export function declareRun(program: Command): void {
  command(program, 'run', 'start a run and show it; Ctrl-C cancels it')
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
    .action(acting(run))
}

function dollars(text: string): number {
  if (!/^\d*\.?\d+$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('expected an amount of USD above 0.')
  return Number(text)
}

/** `muxd run`: starts a run and shows it until it ends; Ctrl-C cancels it. */
async function run(given: string | undefined, options: RunCommandOptions): Promise<ExitCode> {
  const clash = ofNewSession.find(name => options[name] !== undefined)
  if (options.session !== undefined && clash) {
    throw new Usage(
      `--${flags[clash]} is for a new session, --session ${options.session} is an old one: give one of them`,
    )
  }
  const prompt = await readPrompt(given, options.stdin)
  return withMux(options, { mayStart: true, answers: asksHere(options) }, async (mux, signal) => {
    const started = await mux.run({ prompt, signal, limits: limitsOf(options), ...target(options) })
    if (options.detach) {
      if (options.json) await printJson(await started.info({ signal }))
      else await print(started.id)
      return exitCodes.done
    }
    const follower = createFollower({ json: options.json, prompts: false, mux })
    follower.remark(`${started.id}  ${started.session}`)
    const now = await started.info({ signal })
    if (now.state === 'queued' && now.waitingFor) follower.remark(queuedFor(now))
    const release = cancelOnInterrupt(started, follower)
    try {
      return await follower.follow(started.events({ signal }), started.session)
    } finally {
      release()
    }
  })
}

const ofNewSession = ['directory', 'title', 'model', 'permissionMode', 'approvals', 'allow', 'ask', 'deny'] as const
const flags = {
  directory: 'directory',
  title: 'title',
  model: 'model',
  permissionMode: 'permission-mode',
  approvals: 'approvals',
  allow: 'allow',
  ask: 'ask',
  deny: 'deny',
}

function target(given: RunCommandOptions) {
  const { session, directory = '.', title, model, permissionMode } = given
  if (session !== undefined) return { session }
  const options: ClaudeOptions = {
    ...(model !== undefined && { model }),
    ...(permissionMode !== undefined && { permissionMode }),
  }
  return { cwd: directory, options, ...approvalsOf(given), ...(title !== undefined && { title }) }
}

function approvalsOf(options: RunCommandOptions): { approvals?: ApprovalOptions } {
  const { approvals: policy } = options
  const rules = (['deny', 'ask', 'allow'] as const).flatMap(decision =>
    (options[decision] ?? []).map(rule => `${decision} ${rule}`),
  )
  if (!policy && rules.length === 0) return {}
  return { approvals: { ...(policy && { policy }), ...(rules.length > 0 && { rules }) } }
}

function limitsOf({ timeout, inactivity, maxTurns, maxBudget }: RunCommandOptions): RunLimits | undefined {
  const limits: RunLimits = {
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(inactivity !== undefined && { inactivityMs: inactivity }),
    ...(maxTurns !== undefined && { maxTurns }),
    ...(maxBudget !== undefined && { maxBudgetUsd: maxBudget }),
  }
  return Object.keys(limits).length > 0 ? limits : undefined
}

/**
 * The first Ctrl-C cancels the run, the second kills it, the third leaves without waiting. Returns the function that
 * releases the keyboard.
 */
function cancelOnInterrupt(started: StartedRun, follower: Follower): () => void {
  let asked = 0
  const onInterrupt = () => {
    asked += 1
    if (asked > 2) process.exit(exitCodes.cancelled)
    follower.say(
      asked === 1 ? 'cancelling; Ctrl-C again to kill it' : 'killing it; Ctrl-C once more to leave without waiting',
    )
    started
      .cancel('Ctrl-C', { mode: asked === 1 ? 'interrupt' : 'kill' })
      .catch((error: unknown) => say(`muxd: ${(error as Error).message}`))
  }
  process.on('SIGINT', onInterrupt)
  return () => process.off('SIGINT', onInterrupt)
}
