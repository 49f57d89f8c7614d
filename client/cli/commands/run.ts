import type { ApprovalOptions, ClaudeOptions, RunLimits, StartedRun } from '../../sdk/index.ts'
import { type ExitCode, exitCodes, Usage } from '../exit.ts'
import { asksHere, createFollower, type Follower } from '../follow.ts'
import { print, printJson, say } from '../output.ts'
import { queuedFor } from '../render/run-facts.ts'
import { type CommonOptions, withMux } from '../with-mux.ts'
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

/** `muxd run`: starts a run and shows it until it ends; Ctrl-C cancels it. */
export async function run(given: string | undefined, options: RunCommandOptions): Promise<ExitCode> {
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
