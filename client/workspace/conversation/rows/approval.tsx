import type { ApprovalAnswer } from '../../../browser.ts'
import { useState } from 'preact/hooks'
import { RpcError } from '../../../browser.ts'
import { questionsOf } from '../../blocks/approval-input.ts'
import { type Answers, Questions } from '../../blocks/questions.tsx'
import { Markdown } from '../../parts/markdown.tsx'
import type { ApprovalPart, ToolItem } from '../model/items.ts'
import { nameOf } from '../model/wording.ts'
import { usePane } from '../pane-context.ts'

type Given = Omit<ApprovalAnswer, 'approval'>

/** A question of Claude's where it was asked, with what can be answered. */
export function Approval({ item, approval }: { item: ToolItem; approval: ApprovalPart }) {
  const { readOnly } = usePane()
  const { kind, resolved } = approval
  return (
    <div class="approval" data-kind={kind}>
      {kind === 'plan' && <Plan input={approval.input} />}
      {resolved ? (
        <p class="small dim">{answered(resolved)}</p>
      ) : (
        <>
          {approval.description && approval.description !== approval.tool && <p class="dim">{approval.description}</p>}
          {readOnly ? (
            <p class="small dim">This link may only watch: somebody else has to answer.</p>
          ) : (
            <Answering key={approval.approval} item={item} approval={approval} />
          )}
        </>
      )}
    </div>
  )
}

function Plan({ input }: { input: unknown }) {
  const { plan } = (input ?? {}) as { plan?: unknown }
  return typeof plan === 'string' ? <Markdown source={plan} isWritten /> : null
}

function Answering({ approval, item }: { item: ToolItem; approval: ApprovalPart }) {
  const { mux } = usePane()
  const questions = approval.kind === 'question' ? questionsOf(approval.input) : []
  const [answers, setAnswers] = useState<Answers>({})
  const [message, setMessage] = useState('')
  const [edited, setEdited] = useState<string>()
  const [problem, setProblem] = useState('')
  const [isAnswering, setAnswering] = useState(false)
  const isAnswered = questions.every(({ question }) => answers[question]?.length)

  const answer = async (given: Given) => {
    setAnswering(true)
    setProblem('')
    try {
      await mux.api.approval.answer({ approval: approval.approval, ...given })
    } catch (error) {
      // Somebody was first: the log says who.
      if (!(error instanceof RpcError && error.kind === 'conflict')) setProblem((error as Error).message)
      setAnswering(false)
    }
  }
  const allow = (more: Partial<Given> = {}) => {
    const changed = edited === undefined ? undefined : parsed(edited)
    if (changed === null) return setProblem('The input has to be a JSON object')
    void answer({
      decision: 'allow',
      ...(questions.length && { answers }),
      ...(changed && { input: changed }),
      ...more,
    })
  }
  const deny = () => void answer({ decision: 'deny', ...(message.trim() && { message: message.trim() }) })

  return (
    <form
      class="answering"
      onSubmit={event => {
        event.preventDefault()
        deny()
      }}
    >
      {questions.length > 0 && (
        <Questions
          name={approval.approval}
          questions={questions}
          answers={answers}
          disabled={isAnswering}
          onChange={setAnswers}
        />
      )}
      {edited !== undefined && (
        <textarea
          class="field mono"
          aria-label="The tool's input"
          rows={Math.min(16, edited.split('\n').length + 1)}
          value={edited}
          onInput={event => setEdited(event.currentTarget.value)}
        />
      )}
      <div class="card-answers">
        <button
          type="button"
          class="button primary"
          disabled={isAnswering || (questions.length > 0 && !isAnswered)}
          onClick={() => allow()}
        >
          {labels[approval.kind]}
        </button>
        {approval.kind === 'tool' && (approval.suggestions?.length ?? 0) > 0 && (
          <button
            type="button"
            class="button"
            disabled={isAnswering}
            title={JSON.stringify(approval.suggestions, null, 2)}
            onClick={() => allow({ remember: true })}
          >
            Always in this session
          </button>
        )}
        {approval.kind === 'tool' && edited === undefined && (
          <button
            type="button"
            class="button plain"
            onClick={() => setEdited(JSON.stringify(item.input ?? approval.input, null, 2))}
          >
            Change input
          </button>
        )}
        <span class="deny">
          <input
            class="field"
            aria-label="Why not, for Claude"
            placeholder="Why not (optional)"
            maxLength={2_000}
            value={message}
            onInput={event => setMessage(event.currentTarget.value)}
          />
          <button type="submit" class="button danger" disabled={isAnswering}>
            Deny
          </button>
        </span>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}

const labels = { tool: 'Allow', question: 'Answer', plan: 'Approve' }

const decisions = { allow: 'Allowed', deny: 'Denied', expired: 'Nobody answered in time', withdrawn: 'No longer asked' }

function answered({ decision, by, message }: NonNullable<ApprovalPart['resolved']>): string {
  return `${decisions[decision]}${by ? ` by ${nameOf(by)}` : ''}${message ? `: ${message}` : ''}`
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
