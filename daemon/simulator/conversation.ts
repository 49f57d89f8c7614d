import { randomUUID } from 'node:crypto'
import { permissionModes } from './arguments.ts'
import {
  controlError,
  controlSuccess,
  initializeAnswer,
  lifecycleFrame,
  bypassProblem,
  modelProblem,
  modeProblem,
  systemFrame,
  type CommandState,
} from './frames.ts'
import { playTurn, type Part } from './play.ts'
import { parsePrompt } from './prompt.ts'
import { rulesIn } from './rules.ts'
import { scriptFor } from './scripts/index.ts'
import {
  modelName,
  print,
  remember,
  stamped,
  type BackgroundTask,
  type PermissionAnswer,
  type Session,
} from './session.ts'
import { createTurn, show, type StopCause, type Turn } from './turn.ts'

/** The turns of a process, one after the other, and the input that it takes meanwhile. */
export interface Conversation {
  /** One prompt given on the command line or as text. */
  onPrompt(prompt: string): void
  /** One line of stream-json. Throws `BrokenInput` when it is not JSON. */
  onLine(line: string): void
  onEnd(): void
  /** Stops the turn that is being played; undefined if there is none. */
  stop(cause: StopCause): Promise<void> | undefined
  /**
   * Resolves with the exit code when the input has ended and nothing is left to do. Rejects when a script cannot
   * continue.
   */
  readonly over: Promise<number>
}

export class BrokenInput extends Error {
  override readonly name = 'BrokenInput'
}

interface Queued extends Part {
  prompt: string
  uuid: string | undefined
  task?: BackgroundTask
}

export function startConversation(session: Session): Conversation {
  const queue: Queued[] = []
  let turn: Turn | undefined
  let playing: Promise<void> | undefined
  let exitCode = 0
  let finish: (code: number) => void
  let giveUp: (error: unknown) => void
  const over = new Promise<number>((resolve, reject) => ([finish, giveUp] = [resolve, reject]))

  session.onTaskEnded = task => {
    session.tasks = session.tasks.filter(other => other !== task)
    enqueue({ ...part(`sim:task-report ${task.report}`), prompt: '', uuid: undefined, task })
  }

  function enqueue(queued: Queued): void {
    queue.push(queued)
    if (!queued.script.bare) lifecycle(queued.uuid, 'queued')
    next()
  }

  function next(): void {
    if (turn || session.deafTo.has('input')) return
    const queued = queue.shift()
    if (queued) playing = play(queued).catch((error: unknown) => giveUp(error))
    else if (session.inputEnded && session.tasks.length === 0 && !session.deafTo.has('end')) finish(exitCode)
  }

  async function play(queued: Queued): Promise<void> {
    const { uuid, script, task } = queued
    turn = createTurn(session, uuid === undefined ? [] : [uuid], task)
    if (!script.bare) lifecycle(uuid, 'started')
    if (task) announce(task)
    else accept(turn, queued)
    const how = await playTurn(turn, queued, () => join(turn!))
    exitCode = how === 'well' ? 0 : 1
    if (!script.bare && how !== 'without a result') lifecycle(uuid, how === 'well' ? 'completed' : 'cancelled')
    turn = undefined
    playing = undefined
    next()
  }

  function accept(by: Turn, { prompt }: Queued): void {
    session.entries.push({ type: 'user', uuid: randomUUID(), message: { role: 'user', content: prompt } })
    remember(session)
    if (!session.args.replayUserMessages || session.args.inputFormat !== 'stream-json') return
    const content = [{ type: 'text', text: prompt }]
    show(by, replayed(content))
  }

  /** Takes the prompts that came in during the turn and join it. */
  function join(by: Turn): Queued[] {
    const joining = queue.filter(({ task, script }) => !task && !script.bare && !script.apart)
    for (const queued of joining) {
      queue.splice(queue.indexOf(queued), 1)
      accept(by, queued)
      if (queued.uuid === undefined) continue
      lifecycle(queued.uuid, 'started')
      by.uuids.push(queued.uuid)
    }
    return joining
  }

  function lifecycle(uuid: string | undefined, state: CommandState): void {
    if (uuid !== undefined) print(session, lifecycleFrame(session, uuid, state))
  }

  function announce(task: BackgroundTask): void {
    const patch = { status: 'completed', end_time: Date.now() }
    const common = { task_id: task.id, run_id: task.runId }
    print(session, systemFrame(session, 'task_updated', { ...common, patch }))
    const summary = `Background command "${task.description}" completed (exit code 0)`
    const about = { tool_use_id: task.toolUseId, status: 'completed', output_file: `/simulated/${task.id}.output` }
    print(session, systemFrame(session, 'task_notification', { ...common, ...about, summary }))
    print(session, systemFrame(session, 'background_tasks_changed', { tasks: runningTasks(session) }))
  }

  function control(requestId: string, request: Record<string, unknown>): void {
    const answer = (response: object) => print(session, controlSuccess(requestId, response))
    const fail = (error: string, code: string) => print(session, controlError(requestId, error, code))
    switch (request['subtype']) {
      case 'initialize':
        return print(session, initializeAnswer(session, requestId))
      case 'interrupt': {
        if (session.deafTo.has('interrupt')) return undefined
        withdrawQuestions(session)
        const stillQueued = queue.flatMap(({ uuid }) => uuid ?? [])
        answer({ still_queued: stillQueued })
        turn?.stop.abort('interrupt')
        return undefined
      }
      case 'apply_flag_settings':
        session.rules = rulesIn(request['settings'])
        return answer({})
      case 'set_permission_mode': {
        const mode = String(request['mode'])
        if (!permissionModes.includes(mode)) return fail(modeProblem, 'invalid_mode')
        if (mode === 'bypassPermissions' && session.args.permissionMode !== mode)
          return fail(bypassProblem, 'bypass_not_launched')
        session.permissionMode = mode
        answer({ mode })
        return print(session, systemFrame(session, 'status', { status: null, permissionMode: mode }))
      }
      case 'set_model': {
        if (request['model'] === '') return fail(modelProblem, 'catalog_unknown')
        session.model = modelName(request['model'] as string | undefined)
        const text = `<local-command-stdout>Set model to \`${session.model}\`</local-command-stdout>`
        if (session.results > 0) print(session, stamped(session, replayed(text)))
        return answer({ model: session.model })
      }
      default:
        return fail(`Unsupported control request subtype: ${String(request['subtype'])}`, 'unsupported_request')
    }
  }

  return {
    over,
    onPrompt: prompt => enqueue({ ...part(prompt), prompt, uuid: undefined }),
    onLine(line) {
      const message = parseLine(line)
      if (message.type === 'user') {
        const prompt = promptText(message.message?.content)
        enqueue({ ...part(prompt), prompt, uuid: message.uuid })
      } else if (message.type === 'control_request') control(message.request_id ?? '', message.request ?? {})
      else if (message.type === 'control_response') answerQuestion(session, message.response ?? {})
    },
    onEnd() {
      session.inputEnded = true
      for (const answer of session.questions.values())
        answer({ behavior: 'failed', message: 'Tool permission stream closed before response received' })
      next()
    },
    stop(cause) {
      if (cause === 'signal') withdrawQuestions(session)
      turn?.stop.abort(cause)
      return playing
    },
  }
}

interface InputMessage {
  type?: string
  uuid?: string
  message?: { content?: unknown }
  request_id?: string
  request?: Record<string, unknown>
  response?: { subtype?: string; request_id?: string; response?: PermissionAnswer; error?: string }
}

function parseLine(line: string): InputMessage {
  try {
    return JSON.parse(line) as InputMessage
  } catch (error) {
    const what = `(type=unknown, ${line.length} chars): ${(error as Error).name}`
    throw new BrokenInput(`Error parsing streaming input line ${what}`)
  }
}

function part(prompt: string): Part {
  const call = parsePrompt(prompt)
  return { call, script: scriptFor(call) }
}

function promptText(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = Array.isArray(content) ? (content as { type?: string; text?: string }[]) : []
  return blocks.flatMap(block => (block.type === 'text' ? (block.text ?? '') : [])).join('\n')
}

function answerQuestion(session: Session, response: NonNullable<InputMessage['response']>): void {
  const answer = session.questions.get(response.request_id ?? '')
  if (response.subtype === 'success' && response.response) answer?.(response.response)
  else answer?.({ behavior: 'failed', message: response.error ?? 'no answer' })
}

function withdrawQuestions(session: Session): void {
  for (const requestId of session.questions.keys())
    print(session, { type: 'control_cancel_request', request_id: requestId })
}

const replayed = (content: unknown) => ({
  type: 'user',
  message: { role: 'user', content },
  parent_tool_use_id: null,
  timestamp: new Date().toISOString(),
  isReplay: true,
})

export const runningTasks = (session: Session): object[] =>
  session.tasks.map(({ id, runId, description }) => ({
    task_id: id,
    run_id: runId,
    task_type: 'local_bash',
    description,
  }))
