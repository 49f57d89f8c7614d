import type { Approval, ApprovalAnswer } from '../../browser.ts'
import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { messageOf, useWorkspace } from '../app/workspace.ts'
import { Icon } from '../parts/icons.tsx'
import { Ago, useNow } from '../parts/time.tsx'
import { duration } from '../parts/format.ts'
import { questionsOf, summaryOf, wishOf } from './approval-input.ts'
import { Questions, type Answers } from './questions.tsx'
import { sessionTitle } from './titles.ts'

/** One question with what can be answered. The answer that was first counts: who comes later is told. */
export function ApprovalCard({ approval, readOnly }: { approval: Approval; readOnly: boolean }) {
  const { api, records, desk, say } = useWorkspace()
  const id = useId()
  const message = useSignal('')
  const answers = useSignal<Answers>({})
  const problem = useSignal('')
  const answering = useSignal(false)
  const session = records.sessions.value.get(approval.session)
  const questions = approval.kind === 'question' ? questionsOf(approval.input) : []
  const isAnswered = questions.every(({ question }) => answers.value[question]?.length)

  const answer = async (given: Omit<ApprovalAnswer, 'approval'>) => {
    if (answering.value) return
    answering.value = true
    problem.value = ''
    try {
      await api.approval.answer({ approval: approval.approval, ...given })
    } catch (error) {
      const { kind, data } = error as { kind?: string; data?: { by?: { name?: string }; decision?: string } }
      if (kind === 'conflict' && data?.decision)
        say(`${data.by?.name ?? 'Somebody'} was first: ${data.decision === 'allow' ? 'allowed' : 'denied'}`)
      else problem.value = messageOf(error)
    } finally {
      answering.value = false
    }
  }
  const allow = (more: Partial<ApprovalAnswer> = {}) =>
    answer({ decision: 'allow', ...(questions.length && { answers: answers.value }), ...more })
  const deny = () => answer({ decision: 'deny', ...(message.value.trim() && { message: message.value.trim() }) })

  const onKeyDown = (event: KeyboardEvent) => {
    if (readOnly || event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'a' && (!questions.length || isAnswered)) void allow()
    else if (event.key === 'd') void deny()
    else return
    event.preventDefault()
  }

  return (
    <article class="card" tabIndex={0} aria-labelledby={id} onKeyDown={onKeyDown}>
      <header class="card-head">
        <h2 id={id}>
          <span class={approval.kind === 'tool' ? 'mono' : ''}>
            {approval.kind === 'question'
              ? 'Claude asks'
              : approval.kind === 'plan'
                ? 'Claude has a plan'
                : approval.tool}
          </span>
          <span class="unseen">: {summaryOf(approval)}</span>
        </h2>
        <button
          type="button"
          class="link clip"
          onClick={() => desk.show({ kind: 'session', session: approval.session })}
        >
          {session ? sessionTitle(session) : approval.session}
        </button>
        <span class="grow" />
        <span class="small dim">
          <Ago at={approval.requestedAt} />
        </span>
        {approval.expiresAt !== null && <Expiry at={approval.expiresAt} />}
      </header>
      {approval.kind === 'tool' && approval.description && approval.description !== approval.tool && (
        <p class="dim">{approval.description}</p>
      )}
      {questions.length ? (
        <Questions
          name={approval.approval}
          questions={questions}
          answers={answers.value}
          disabled={readOnly}
          onChange={next => (answers.value = next)}
        />
      ) : (
        <WishView approval={approval} />
      )}
      {readOnly ? (
        <p class="small dim">This link may only watch: somebody else has to answer.</p>
      ) : (
        <div class="card-answers">
          <button
            type="button"
            class="button primary"
            disabled={answering.value || (questions.length > 0 && !isAnswered)}
            onClick={() => void allow()}
          >
            {approval.kind === 'question' ? 'Answer' : approval.kind === 'plan' ? 'Approve' : 'Allow'}
          </button>
          {approval.kind === 'tool' && (approval.suggestions?.length ?? 0) > 0 && (
            <button
              type="button"
              class="button"
              disabled={answering.value}
              title={JSON.stringify(approval.suggestions, null, 2)}
              onClick={() => void allow({ remember: true })}
            >
              Always in this session
            </button>
          )}
          <form
            class="deny"
            onSubmit={event => {
              event.preventDefault()
              void deny()
            }}
          >
            <input
              class="field"
              aria-label="Why not, for Claude"
              placeholder="Why not (optional)"
              maxLength={2_000}
              value={message.value}
              onInput={event => (message.value = event.currentTarget.value)}
            />
            <button type="submit" class="button danger" disabled={answering.value}>
              Deny
            </button>
          </form>
        </div>
      )}
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </article>
  )
}

function Expiry({ at }: { at: number }) {
  const left = at - useNow()
  return (
    <span class="chip warn numeric">
      <Icon name="warning" />
      {left > 0 ? `${duration(left)} left` : 'expired'}
    </span>
  )
}

function WishView({ approval }: { approval: Approval }) {
  const wish = wishOf(approval)
  if (wish.as === 'command')
    return (
      <>
        <pre class="wish">{wish.command}</pre>
        {wish.about && <p class="small dim">{wish.about}</p>}
      </>
    )
  if (wish.as === 'edit')
    return (
      <>
        <p class="mono small">{wish.path}</p>
        <pre class="wish">
          <Lines of={wish.before} sign="-" />
          <Lines of={wish.after} sign="+" />
        </pre>
      </>
    )
  if (wish.as === 'write')
    return (
      <>
        <p class="mono small">{wish.path}</p>
        <pre class="wish">
          <Lines of={wish.content} sign="+" />
        </pre>
      </>
    )
  if (wish.as === 'plan') return <pre class="wish prose">{wish.plan}</pre>
  return (
    <dl class="facts">
      {wish.fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Lines({ of, sign }: { of: string; sign: '+' | '-' }) {
  return (
    <>
      {of
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          <span key={index} class={`diff-line ${sign === '+' ? 'added' : 'removed'}`}>
            {`${sign} ${line}\n`}
          </span>
        ))}
    </>
  )
}
