import type { CancelMode } from '../../../sdk/browser.ts'
import { useDraft } from '../../drafts.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { messageOf, oneLine } from '../../parts/format.ts'
import { useWorkspace } from '../../context/workspace.ts'

const modes: [mode: CancelMode, label: string, what: string][] = [
  ['interrupt', 'Interrupt', 'ends the turn; the process lives on'],
  ['terminate', 'Terminate', 'ends the process'],
  ['kill', 'Kill', 'ends the process and everything it started, at once'],
]

/** The dialog that cancels a run in one of three modes. All clients see the author and the reason. */
export function CancelRun({ run }: { run: string }) {
  const { mux, records, overlay, say } = useWorkspace()
  const [reason, setReason, forgetReason] = useDraft(`cancel/${run}`)
  const record = [...records.active.value.values()].flat().find(candidate => candidate.run === run)
  const close = () => (overlay.value = undefined)
  const cancel = (mode: CancelMode) => {
    close()
    forgetReason()
    mux
      .attach(run)
      .cancel(reason.trim() || undefined, { mode })
      .catch((error: unknown) => say(messageOf(error), 'problem'))
  }
  return (
    <Dialog label="Cancel the run" class="cancel" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          cancel('interrupt')
        }}
      >
        <h2>Cancel the run</h2>
        <p class="dim" dir="auto">
          {record ? oneLine(record.prompt) : 'It has ended meanwhile.'}
        </p>
        <label class="labelled">
          <span>Why, for everybody who watches</span>
          <input
            class="field"
            placeholder="optional"
            maxLength={2_000}
            autoFocus
            dir="auto"
            value={reason}
            onInput={event => setReason(event.currentTarget.value)}
          />
        </label>
        <ul class="cancel-modes">
          {modes.map(([mode, label, what]) => (
            <li key={mode}>
              <button
                type={mode === 'interrupt' ? 'submit' : 'button'}
                class={`button ${mode === 'interrupt' ? 'primary' : 'danger'}`}
                disabled={!record}
                onClick={mode === 'interrupt' ? undefined : () => cancel(mode)}
              >
                {label}
              </button>
              <span class="small dim">{what}</span>
            </li>
          ))}
        </ul>
      </form>
    </Dialog>
  )
}
