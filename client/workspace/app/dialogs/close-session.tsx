import { useState } from 'preact/hooks'
import { sessionName } from '../../../text/session-name.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { messageOf } from '../../parts/format.ts'
import { useWorkspace } from '../../context/workspace.ts'

/** Asks before a session's process is ended. */
export function CloseSession({ session }: { session: string }) {
  const { api, records, overlay, say } = useWorkspace()
  const record = records.sessions.value.get(session)
  const runs = records.active.value.get(session)?.length ?? 0
  const left = record?.left ? record.left.processes.length + record.left.more : 0
  const [sweeps, setSweeps] = useState(false)
  const close = () => (overlay.value = undefined)
  const closeSession = () => {
    close()
    api.session
      .close({ session, force: runs > 0, ...(sweeps && { sweep: true }) })
      .then(() => say('Closed'))
      .catch((error: unknown) => say(messageOf(error), 'problem'))
  }
  return (
    <Dialog label="Close the session" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          closeSession()
        }}
      >
        <h2 dir="auto">Close {record ? sessionName(record) : session}?</h2>
        <p class="dim">
          Its process is ended, with what it has in the background. What was said is kept: the next prompt goes on from
          there.
        </p>
        {runs > 0 && (
          <p class="problem">{runs === 1 ? 'A run has' : `${runs} runs have`} not ended: cancelled as well.</p>
        )}
        {left > 0 && (
          <label class="option">
            <input type="checkbox" checked={sweeps} onChange={event => setSweeps(event.currentTarget.checked)} />
            <span>
              End also {left === 1 ? 'the process' : `the ${left} processes`} that Claude Code left running on purpose
            </span>
          </label>
        )}
        <footer class="dialog-foot">
          <button type="button" class="button" autoFocus onClick={close}>
            Keep it
          </button>
          <button type="submit" class="button danger">
            Close it
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
