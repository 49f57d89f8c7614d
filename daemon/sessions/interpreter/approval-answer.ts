import type { Actor, Approval, ApprovalAnswer } from '../../../protocol/index.ts'
import type { AgentCodec, QuestionAnswer } from '../../agents/agent.ts'
import { paramName } from '../../rpc/param-name.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import type { Resolution } from '../machine/fold/resolution.ts'

/**
 * Returns the resolution that a client's answer stands for. Throws `invalid_params` if its members contradict each
 * other or do not fit the question.
 */
export function resolutionOf(agent: AgentCodec, approval: Approval, answer: ApprovalAnswer, by: Actor): Resolution {
  const { decision, message } = answer
  if (decision === 'allow') return { decision, by, answer: allowed(agent, approval, answer) }
  for (const name of ['input', 'answers', 'remember'] as const) {
    if (answer[name] !== undefined && answer[name] !== false) refuse(`/${name}`, 'nothing beside a deny')
  }
  const told: QuestionAnswer = { behavior: 'deny', message: message ?? `${by.name} said no.` }
  return {
    decision,
    by,
    ...(message !== undefined && { message }),
    answer: answer.interrupt ? { ...told, interrupt: true } : told,
  }
}

function allowed(agent: AgentCodec, approval: Approval, answer: ApprovalAnswer): QuestionAnswer {
  const { input, answers, remember = false } = answer
  for (const name of ['message', 'interrupt'] as const) {
    if (answer[name] !== undefined && answer[name] !== false) refuse(`/${name}`, 'nothing beside an allow')
  }
  if (input && answers) refuse('/input', 'either answers or an input that holds them')
  if (approval.kind === 'question' && !input && !answers) refuse('/answers', 'what was chosen for each question')
  if (remember && approval.suppressAlwaysAllowRule) refuse('/remember', 'false, for Claude Code asks each time')
  if (remember && !approval.suggestions) refuse('/remember', `false, for ${approval.tool} offers nothing to remember`)
  const changed = answers ? { ...objectOf(approval.input), answers: chosen(approval, answers) } : input
  return {
    behavior: 'allow',
    ...(changed && { input: changed }),
    ...(remember && { permissions: agent.permissionsToRemember(approval.suggestions!) }),
  }
}

/**
 * Returns the answers as Claude Code expects them: one text for each question, with several labels joined by commas.
 */
function chosen({ kind, tool, input }: Approval, answers: NonNullable<ApprovalAnswer['answers']>) {
  if (kind !== 'question') refuse('/answers', `nothing, for ${tool} is no question`)
  const { questions: asked } = objectOf(input)
  const questions = Array.isArray(asked) ? asked.map(objectOf) : []
  const texts = questions.map(({ question }) => (typeof question === 'string' ? question : undefined))
  const given = Object.entries(answers)
  if (given.length === 0) refuse('/answers', 'what was chosen for each question')
  return Object.fromEntries(
    given.map(([text, choice]) => {
      const path = `/answers/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const question = questions[texts.indexOf(text)]
      if (!question) refuse(path, `one of the questions: ${texts.map(each => JSON.stringify(each)).join(', ')}`)
      if (typeof choice === 'string') return [text, choice]
      if (choice.length === 0) refuse(path, 'at least one choice')
      if (choice.length > 1 && question['multiSelect'] !== true) refuse(path, 'one choice')
      return [text, choice.join(', ')]
    }),
  )
}

/** Returns `value` if it is an object; an empty object otherwise. */
const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

function refuse(path: string, expected: string): never {
  throw new RpcError('invalid_params', `approval.answer: ${paramName(path)}: expected ${expected}`, { path, expected })
}
