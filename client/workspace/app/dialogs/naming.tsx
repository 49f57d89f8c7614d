import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { useDraft } from '../../drafts.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { DialogFoot } from '../../parts/dialog-foot.tsx'
import { labelLines, labelsOf } from './labels.ts'
import { messageOf } from '../../parts/format.ts'
import { useWorkspace } from '../../context/workspace.ts'

/** The dialog that changes the title and labels of a session. */
export function Naming({ session }: { session: string }) {
  const { api, records, overlay } = useWorkspace()
  // The record when the dialog opened. Only changed fields are sent, so that changes by other clients meanwhile stay.
  const before = useMemo(() => records.sessions.value.get(session), [])
  const [title, setTitle, forgetTitle] = useDraft(`title/${session}`, before?.title ?? '')
  const lines = labelLines(before?.labels ?? {})
  const [labels, setLabels, forgetLabels] = useDraft(`labels/${session}`, lines)
  const problem = useSignal('')
  const close = () => (overlay.value = undefined)
  const save = async () => {
    const name = title.trim()
    try {
      await api.session.update({
        session,
        ...(name !== before?.title && { title: name }),
        ...(labels !== lines && { labels: labelsOf(labels) }),
      })
      forgetTitle()
      forgetLabels()
      close()
    } catch (error) {
      problem.value = messageOf(error)
    }
  }
  return (
    <Dialog label="Rename the session" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          void save()
        }}
      >
        <h2>Rename the session</h2>
        <label class="labelled">
          <span>Title</span>
          <input
            class="field"
            maxLength={1_000}
            autoFocus
            dir="auto"
            value={title}
            onInput={event => setTitle(event.currentTarget.value)}
          />
        </label>
        <label class="labelled">
          <span>Labels, one a line: name=value</span>
          <textarea
            class="field mono"
            rows={3}
            dir="auto"
            spellcheck={false}
            value={labels}
            onInput={event => setLabels(event.currentTarget.value)}
          />
        </label>
        <DialogFoot problem={problem.value} onClose={close}>
          <button type="submit" class="button primary" disabled={!before}>
            Save
          </button>
        </DialogFoot>
      </form>
    </Dialog>
  )
}
