import { effect, signal } from '@preact/signals'
import { summaryOf } from './approval-input.ts'
import { sessionName } from '../../text/session-name.ts'
import { Icon } from '../parts/icons.tsx'
import { oneLine } from '../parts/format.ts'
import { useWorkspace, type Workspace } from '../context/workspace.ts'
import { conversationOf } from '../layout/block.ts'

const key = 'muxd.notify'
const isThere = 'Notification' in globalThis
const wanted = signal(isThere && Notification.permission === 'granted' && localStorage.getItem(key) === 'yes')

/** A button that turns desktop notifications of approvals on and off. The browser asks for permission at the click. */
export function Notifications() {
  const { say } = useWorkspace()
  if (!isThere) return null
  const toggle = async () => {
    if (!wanted.value && (await Notification.requestPermission()) !== 'granted')
      return say('The browser does not allow notifications of this page', 'problem')
    wanted.value = !wanted.value
    localStorage.setItem(key, wanted.value ? 'yes' : 'no')
  }
  return (
    <button type="button" class="button plain" aria-pressed={wanted.value} onClick={() => void toggle()}>
      <Icon name="bell" />
      {wanted.value ? 'Notifies you' : 'Notify me'}
    </button>
  )
}

/**
 * Shows the number of pending approvals in the document's title, and a desktop notification of each new one while the
 * window has no focus.
 */
export function announceApprovals({ records, paneManager }: Workspace): () => void {
  const known = new Set<string>()
  return effect(() => {
    const approvals = records.approvals.value
    document.title = approvals.length ? `(${approvals.length}) muxd` : 'muxd'
    for (const approval of approvals) {
      if (known.has(approval.approval)) continue
      known.add(approval.approval)
      if (!wanted.peek() || document.hasFocus()) continue
      const session = records.sessions.peek().get(approval.session)
      const note = new Notification(session ? sessionName(session) : 'muxd', {
        body: oneLine(summaryOf(approval)),
        // With the same tag, several windows show one notification.
        tag: approval.approval,
      })
      note.addEventListener('click', () => {
        focus()
        paneManager.show(conversationOf(approval.session))
      })
    }
    for (const id of known) if (!approvals.some(({ approval }) => approval === id)) known.delete(id)
  })
}
