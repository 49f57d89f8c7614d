import type { Approval, ApprovalAnswer, ApprovalReason, ClientApi } from '../../sdk/browser.ts'
import { useState } from 'preact/hooks'
import { RpcError } from '../../sdk/browser.ts'
import { useDraft } from '../drafts.ts'
import { duration } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import { useNow } from '../parts/time.tsx'
import { type Question, questionsOf } from './approval-input.ts'
import { type Answers, Questions } from './questions.tsx'

/** The fields of an approval that are needed to answer it. */
export interface Asked extends Pick<Approval, 'approval' | 'kind' | 'input'>, ApprovalReason {
  suggestions?: readonly unknown[] | undefined
  /** The input is shortened here, so it can be allowed but not changed. */
  isCut?: boolean
}

type Given = Omit<ApprovalAnswer, 'approval'>

/** The state and actions of answering an approval. */
export interface Answering {
  asked: Asked
  questions: readonly Question[]
  answers: Answers
  setAnswers(answers: Answers): void
  /** The reason for a denial, which Claude receives. */
  message: string
  setMessage(message: string): void
  /** The tool's input as JSON, once the user edits it. */
  input: string | undefined
  setInput(input: string): void
  problem: string
  isSending: boolean
  canAllow: boolean
  allow(more?: Partial<Given>): void
  deny(): void
}

/** The first answer counts. If another client answered first, calls `onLate` with a text that says who and how. */
export function useAnswering(api: ClientApi, asked: Asked, onLate: (first: string) => void = () => {}): Answering {
  const questions = asked.kind === 'question' ? questionsOf(asked.input) : []
  // Drafts keyed by the approval, because its card and row may unmount while the user writes.
  const [given, setGiven, forgetAnswers] = useDraft(`answers/${asked.approval}`)
  const [message, setMessage, forgetMessage] = useDraft(`deny/${asked.approval}`)
  const [changedInput, setInput, forgetInput] = useDraft(`input/${asked.approval}`)
  const answers = given ? (JSON.parse(given) as Answers) : {}
  const setAnswers = (next: Answers) => setGiven(JSON.stringify(next))
  const input = changedInput || undefined
  const [problem, setProblem] = useState('')
  const [isSending, setSending] = useState(false)

  const answer = async (answered: Given) => {
    if (isSending) return
    setSending(true)
    setProblem('')
    try {
      await api.approval.answer({ approval: asked.approval, ...answered })
      for (const forget of [forgetAnswers, forgetMessage, forgetInput]) forget()
    } catch (error) {
      if (error instanceof RpcError && error.kind === 'conflict' && error.data['decision']) onLate(firstOf(error))
      else setProblem(error instanceof Error ? error.message : String(error))
    } finally {
      setSending(false)
    }
  }
  return {
    asked,
    questions,
    answers,
    setAnswers,
    message,
    setMessage,
    input,
    setInput,
    problem,
    isSending,
    canAllow: !isSending && questions.every(({ question }) => answers[question]?.length),
    allow(more = {}) {
      const changed = input === undefined ? undefined : parsed(input)
      if (changed === null) return setProblem('The input has to be a JSON object')
      void answer({
        decision: 'allow',
        ...(questions.length && { answers }),
        ...(changed && { input: changed }),
        ...more,
      })
    },
    deny: () => void answer({ decision: 'deny', ...(message.trim() && { message: message.trim() }) }),
  }
}

/** The form to answer an approval. With an observe token it is disabled and says that somebody else has to answer. */
export function AnswerForm({ answering, readOnly }: { answering: Answering; readOnly: boolean }) {
  const { asked, questions, answers, setAnswers, message, setMessage, input, setInput } = answering
  const { problem, isSending, canAllow, allow, deny } = answering
  const isTool = asked.kind === 'tool'
  const isRememberable =
    isTool && (asked.suggestions?.length ?? 0) > 0 && !asked.suppressAlwaysAllowRule && !asked.requiresUserInteraction
  return (
    <>
      {questions.length > 0 && (
        <Questions
          name={asked.approval}
          questions={questions}
          answers={answers}
          disabled={readOnly || isSending}
          onChange={setAnswers}
        />
      )}
      {input !== undefined && (
        <textarea
          class="field mono"
          dir="auto"
          aria-label="The tool's input"
          rows={Math.min(16, input.split('\n').length + 1)}
          value={input}
          onInput={event => setInput(event.currentTarget.value)}
        />
      )}
      {readOnly ? (
        <p class="small dim">This link may only watch: somebody else has to answer.</p>
      ) : (
        <div class="card-answers">
          <button
            type="button"
            class={asked.defaultToNo ? 'button' : 'button primary'}
            disabled={!canAllow}
            onClick={() => allow()}
          >
            {labels[asked.kind]}
          </button>
          {isRememberable && (
            <button
              type="button"
              class="button"
              disabled={isSending}
              title={JSON.stringify(asked.suggestions, null, 2)}
              onClick={() => allow({ remember: true })}
            >
              Always in this session
            </button>
          )}
          {isTool && input === undefined && !asked.isCut && (
            <button
              type="button"
              class="button plain"
              onClick={() => setInput(JSON.stringify(asked.input, null, 2) ?? '')}
            >
              Change input
            </button>
          )}
          <form
            class="deny"
            onSubmit={event => {
              event.preventDefault()
              deny()
            }}
          >
            <input
              class="field"
              aria-label="Why not, for Claude"
              dir="auto"
              placeholder="Why not (optional)"
              maxLength={2_000}
              value={message}
              onInput={event => setMessage(event.currentTarget.value)}
            />
            <button type="submit" class="button danger" disabled={isSending}>
              Deny
            </button>
          </form>
        </div>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  )
}

const labels = { tool: 'Allow', question: 'Answer', plan: 'Approve' }

/** The time left to answer; `until` is in ms since epoch. */
export function TimeLeft({ until }: { until: number }) {
  const left = until - useNow()
  return (
    <span class="chip warn numeric">
      <Icon name="warning" />
      {left > 0 ? `${duration(left)} left` : 'expired'}
    </span>
  )
}

function firstOf({ data }: RpcError): string {
  const { by, decision } = data as { by?: { name?: string }; decision?: unknown }
  return `${by?.name ?? 'Somebody'} was first: ${decision === 'allow' ? 'allowed' : 'denied'}`
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
