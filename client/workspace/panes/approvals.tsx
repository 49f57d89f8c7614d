import { useEffect, useRef } from 'preact/hooks'
import { isTyping } from '../context/keys.ts'
import { Notifications } from '../approvals/notifications.tsx'
import { useWorkspace } from '../context/workspace.ts'
import { ApprovalCard } from './approval-card.tsx'

/** The pending approvals of all sessions, oldest first. An approval disappears when any client answers it. */
export function ApprovalsBlock({ active }: { active: boolean }) {
  const { records, readOnly } = useWorkspace()
  const ref = useRef<HTMLDivElement>(null)
  const approvals = records.approvals.value
  const count = approvals.length

  // Removing the answered card removes the focus. The block gets the focus, not the next card, because the next key
  // would answer that one.
  useEffect(() => {
    if (active && document.activeElement === document.body) ref.current?.focus({ preventScroll: true })
  }, [count])

  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLElement) || isTyping(event.target)) return
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return
    const cards = [...ref.current!.querySelectorAll<HTMLElement>('.card')]
    const at = cards.indexOf(event.target.closest<HTMLElement>('.card')!)
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    cards[Math.max(0, Math.min(cards.length - 1, at + step))]?.focus()
  }

  return (
    <div role="group" class="block approvals" aria-label="Approvals" tabIndex={-1} ref={ref} onKeyDown={onKeyDown}>
      <header class="block-bar">
        <p class="grow" aria-live="polite">
          {count === 0 ? 'Nothing waits for an answer' : count === 1 ? '1 question waits' : `${count} questions wait`}
        </p>
        <Notifications />
      </header>
      <div class="scroll" tabIndex={0}>
        {count === 0 ? (
          <div class="empty">
            <p>When Claude asks whether it may do something, in any session, the question is here.</p>
          </div>
        ) : (
          <ul class="cards" aria-label="Questions">
            {approvals.map(approval => (
              <li key={approval.approval}>
                <ApprovalCard approval={approval} readOnly={readOnly} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  )
}
