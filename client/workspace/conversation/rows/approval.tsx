import { AnswerForm } from '../../approvals/answer-form.tsx'
import { useAnswering } from '../../approvals/answering.ts'
import { TimeLeft } from '../../approvals/time-left.tsx'
import { ReasonView } from '../../approvals/approval-reason.tsx'
import { Markdown } from '../../parts/markdown.tsx'
import type { ApprovalPart, ToolItem } from '../model/items.ts'
import { answered } from '../model/labels.ts'
import { usePane } from '../pane-context.ts'

/** An approval at its place in the conversation, with the controls to answer it or its outcome. */
export function Approval({ item, approval }: { item: ToolItem; approval: ApprovalPart }) {
  const { kind, resolved } = approval
  return (
    <div class="approval" data-kind={kind}>
      {kind === 'plan' && <Plan input={approval.input} />}
      {resolved ? (
        <p class="small dim" dir="auto">
          {answered(resolved)}
        </p>
      ) : (
        <Open key={approval.approval} item={item} approval={approval} />
      )}
    </div>
  )
}

function Plan({ input }: { input: unknown }) {
  const { plan } = (input ?? {}) as { plan?: unknown }
  if (typeof plan !== 'string') return null
  return (
    // Focusable, so that the keyboard can scroll a plan that is taller than the pane.
    <div class="plan" tabIndex={0} role="region" aria-label="Plan">
      <Markdown source={plan} isWritten />
    </div>
  )
}

function Open({ approval, item }: { item: ToolItem; approval: ApprovalPart }) {
  const { mux, readOnly } = usePane()
  const { description, tool, expiresAt } = approval
  // No notice of an earlier answer: the log shows it here.
  const answering = useAnswering(mux.api, {
    ...approval,
    ...approval.reason,
    input: item.input ?? approval.input,
    isCut: item.inputCut !== undefined,
  })
  return (
    <div class="answering">
      {description && description !== tool && (
        <p class="dim" dir="auto">
          {description}
        </p>
      )}
      <ReasonView reason={approval.reason} kind={approval.kind} />
      {expiresAt !== undefined && (
        <p>
          <TimeLeft until={expiresAt} />
        </p>
      )}
      <AnswerForm answering={answering} readOnly={readOnly} />
    </div>
  )
}
