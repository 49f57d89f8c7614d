import type { Command } from 'commander'
import type { AllowOptions, Approval, Mux } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { another } from '../command/option-values.ts'
import { type ExitCode, exitCodes, Usage } from '../errors/exit.ts'
import { printJson, say } from '../screen/output.ts'
import { questionsOf } from '../render/approval.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'
import { outcomeLine } from './approvals.ts'

export interface ApproveOptions extends CommonOptions {
  remember?: true
  input?: string
  answer?: string[]
}

export function declareAnswers(program: Command): void {
  command(program, 'approve', 'allow a tool, answer a question or approve a plan')
    .argument('<approval>')
    .option('--remember', 'do not ask again for the same in this session')
    .option('--input <json>', 'give the tool this input instead')
    .option('--answer <question=label>', 'the answer to a question; repeatable', another)
    .action(acting(approve))
  command(program, 'deny', 'deny a tool, a question or a plan')
    .argument('<approval>')
    .option('-m, --message <text>', 'the reason, for Claude')
    .option('--interrupt', 'end the turn as well')
    .action(acting(deny))
}

/** `muxd approve`: allows a tool or plan, or answers a question with the chosen labels. */
async function approve(approval: string, options: ApproveOptions): Promise<ExitCode> {
  const input = options.input === undefined ? undefined : parseInput(options.input)
  return answering(options, async (mux, signal) => {
    const answers = options.answer && (await answersOf(mux, approval, options.answer, signal))
    const given: AllowOptions = {
      ...(options.remember && { remember: true }),
      ...(input && { input }),
      ...(answers && { answers }),
    }
    return mux.api.approval.answer({ approval, decision: 'allow', ...given }, { signal })
  })
}

/** `muxd deny`: denies, with a reason for Claude. */
async function deny(
  approval: string,
  { message, interrupt, ...options }: CommonOptions & { message?: string; interrupt?: true },
): Promise<ExitCode> {
  const given = { ...(message !== undefined && { message }), ...(interrupt && { interrupt }) }
  return answering(options, (mux, signal) =>
    mux.api.approval.answer({ approval, decision: 'deny', ...given }, { signal }),
  )
}

async function answering(
  options: CommonOptions,
  answer: (mux: Mux, signal: AbortSignal) => Promise<Approval>,
): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const record = await answer(mux, signal)
    if (options.json) await printJson(record)
    else say(outcomeLine(record))
    return exitCodes.done
  })
}

function parseInput(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Reported below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Usage(`--input ${text}: expected a JSON object, the whole input of the tool`)
  return value as Record<string, unknown>
}

/**
 * Returns the answers from options `QUESTION=LABEL`. QUESTION is the text or number of a question; a repeated question
 * has several labels.
 */
async function answersOf(mux: Mux, approval: string, given: readonly string[], signal: AbortSignal) {
  const { input } = await mux.api.approval.get({ approval }, { signal })
  const questions = questionsOf(input).map(({ question }) => question)
  const answers: Record<string, string | string[]> = {}
  for (const text of given) {
    const found = questions.find((question, index) =>
      [`${question}=`, `${index + 1}=`].some(start => text.startsWith(start)),
    )
    if (found === undefined) {
      const named = questions.map((question, index) => `${index + 1}: ${question}`).join(', ')
      throw new Usage(
        `--answer ${text}: expected QUESTION=LABEL, and one of the questions: ${named || 'there are none'}`,
      )
    }
    const label = text.slice(text.startsWith(`${found}=`) ? found.length + 1 : text.indexOf('=') + 1)
    const before = answers[found]
    answers[found] = before === undefined ? label : [before, label].flat()
  }
  return answers
}
