import type { Approval, ApprovalAnswer, ApprovalReason, ClientApi } from '../../sdk/browser.ts'
import { useState } from 'preact/hooks'
import { RpcError } from '../../sdk/browser.ts'
import { useDraft } from '../drafts.ts'
import { messageOf } from '../parts/format.ts'
import { type Question, questionsOf } from './approval-input.ts'
import type { Answers } from './questions.tsx'

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
      else setProblem(messageOf(error))
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
