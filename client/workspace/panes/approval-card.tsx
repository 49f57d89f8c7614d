import type { Approval } from '../../sdk/browser.ts'
import { useId } from 'preact/hooks'
import { isBare } from '../context/keys.ts'
import { useWorkspace } from '../context/workspace.ts'
import { toolName } from '../conversation/model/tool-view.ts'
import { Path } from '../parts/path.tsx'
import { Ago } from '../parts/time.tsx'
import { AnswerForm } from '../approvals/answer-form.tsx'
import { useAnswering } from '../approvals/answering.ts'
import { TimeLeft } from '../approvals/time-left.tsx'
import { summaryOf, wishOf } from '../approvals/approval-input.ts'
import { ReasonView } from '../approvals/approval-reason.tsx'
import { sessionName } from '../../text/session-name.ts'
import { conversationOf } from '../layout/block.ts'

/** One pending approval with the controls to answer it. The first answer counts; a later one gets a notice. */
export function ApprovalCard({ approval, readOnly }: { approval: Approval; readOnly: boolean }) {
  const { api, records, paneManager, say } = useWorkspace()
  const id = useId()
  const answering = useAnswering(api, approval, say)
  const session = records.sessions.value.get(approval.session)
  const { name, server } = toolName(approval.tool)

  const onKeyDown = (event: KeyboardEvent) => {
    if (readOnly || event.target !== event.currentTarget || !isBare(event)) return
    // A single key does not allow where the default is No, nor where Claude Code demands user interaction.
    const isKeyEnough = !approval.defaultToNo && !(approval.kind === 'tool' && approval.requiresUserInteraction)
    if (event.key === 'a' && answering.canAllow && isKeyEnough) answering.allow()
    else if (event.key === 'd') answering.deny()
    else return
    event.preventDefault()
  }

  return (
    <article class="card" tabIndex={0} aria-labelledby={id} onKeyDown={onKeyDown}>
      <header class="card-head">
        <h2 id={id}>
          <span>
            {approval.kind === 'question' ? 'Claude asks' : approval.kind === 'plan' ? 'Claude has a plan' : name}
          </span>
          <span class="unseen">: {summaryOf(approval)}</span>
        </h2>
        {server && <span class="chip">{server}</span>}
        <button
          type="button"
          class="link clip"
          dir="auto"
          onClick={() => paneManager.show(conversationOf(approval.session))}
        >
          {session ? sessionName(session) : approval.session}
        </button>
        <span class="grow" />
        <span class="small dim">
          <Ago at={approval.requestedAt} />
        </span>
        {approval.expiresAt !== null && <TimeLeft until={approval.expiresAt} />}
      </header>
      {approval.kind === 'tool' && approval.description && approval.description !== approval.tool && (
        <p class="dim" dir="auto">
          {approval.description}
        </p>
      )}
      {answering.questions.length === 0 && <WishView approval={approval} />}
      <ReasonView reason={approval} kind={approval.kind} />
      <AnswerForm answering={answering} readOnly={readOnly} />
    </article>
  )
}

function WishView({ approval }: { approval: Approval }) {
  const wish = wishOf(approval)
  if (wish.as === 'command')
    return (
      <>
        <pre class="wish">{wish.command}</pre>
        {wish.about && (
          <p class="small dim" dir="auto">
            {wish.about}
          </p>
        )}
      </>
    )
  if (wish.as === 'edit')
    return (
      <>
        <p class="mono small">
          <Path of={wish.path} />
        </p>
        <pre class="wish">
          <Lines of={wish.before} sign="-" />
          <Lines of={wish.after} sign="+" />
        </pre>
      </>
    )
  if (wish.as === 'write')
    return (
      <>
        <p class="mono small">
          <Path of={wish.path} />
        </p>
        <pre class="wish">
          <Lines of={wish.content} sign="+" />
        </pre>
      </>
    )
  if (wish.as === 'plan')
    return (
      <pre class="wish prose" dir="auto">
        {wish.plan}
      </pre>
    )
  return (
    <dl class="facts">
      {wish.fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="mono" dir="auto">
            {value}
          </dd>
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
