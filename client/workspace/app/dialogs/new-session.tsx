import { claudeIn, isSimulator } from '../../context/simulator.ts'
import { useWorkspace } from '../../context/workspace.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { DialogFoot } from '../../parts/dialog-foot.tsx'
import { DirectoryField, useDirectory } from './directory.tsx'
import { useNewSessionDraft } from './new-session-draft.ts'
import { NewSessionOptions } from './new-session-options.tsx'
import { useNewSessionStart } from './new-session-start.ts'

/**
 * The dialog that starts a session with its first prompt. Its fields are kept as drafts until the session has started.
 */
export function NewSession({ prompt = '', directory }: NewSessionProps) {
  const { overlay, hello } = useWorkspace()
  const draft = useNewSessionDraft(prompt)
  const cwd = useDirectory(directory)
  const { isStarting, isWaiting, problem, start, takeBack } = useNewSessionStart(draft)
  const submit = (event: Event) => {
    event.preventDefault()
    void start(cwd.value.trim())
  }
  const close = () => {
    takeBack()
    overlay.value = undefined
  }
  return (
    <Dialog label="New session" class="new-session" onClose={close}>
      <form
        onSubmit={submit}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event)
        }}
      >
        <h2>New session</h2>
        <label class="labelled">
          <span>Prompt</span>
          <textarea
            class="field"
            rows={4}
            required
            autoFocus
            placeholder="What shall Claude do?"
            dir="auto"
            readOnly={isStarting}
            value={draft.prompt.text}
            onInput={event => draft.prompt.write(event.currentTarget.value)}
          />
        </label>
        <DirectoryField directory={cwd} />
        <NewSessionOptions draft={draft} />
        {!claudeIn(hello.value) && <p class="problem">No Claude Code was found: the run will say what to install.</p>}
        {isSimulator(hello.value) && (
          <p class="small dim">The simulator plays Claude Code: nothing is read or changed.</p>
        )}
        {isWaiting && (
          <p class="small" role="status">
            There is no connection: the prompt is sent as soon as there is one. Cancel takes it back.
          </p>
        )}
        <DialogFoot problem={problem} onClose={close}>
          <button type="submit" class="button primary" disabled={isStarting}>
            {isWaiting ? 'Waiting to be sent' : isStarting ? 'Starting…' : 'Start'}
          </button>
        </DialogFoot>
      </form>
    </Dialog>
  )
}

interface NewSessionProps {
  prompt?: string | undefined
  directory?: string | undefined
}
