import { useSignal } from '@preact/signals'
import { useState } from 'preact/hooks'
import type { ClaudeOptions } from '../../../sdk/browser.ts'
import { randomKey } from '../../../sdk/random-key.ts'
import { useDraft } from '../../drafts.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { DialogFoot } from '../../parts/dialog-foot.tsx'
import { type Submission, submit } from '../../submission.ts'
import { DirectoryField, rememberDirectory, useDirectory } from './directory.tsx'
import { showSession } from '../../context/show-session.ts'
import { claudeIn, isSimulator } from '../../context/simulator.ts'
import { messageOf, useWorkspace } from '../../context/workspace.ts'

const modes: [value: string, label: string][] = [
  ['', 'as configured'],
  ['default', 'ask before anything changes'],
  ['acceptEdits', 'edit files without asking'],
  ['plan', 'plan only'],
]

const models = ['opus', 'sonnet', 'haiku']

/**
 * The dialog that starts a session with its first prompt. Its fields are kept as drafts until the session has started.
 */
export function NewSession({
  prompt: first = '',
  directory,
}: {
  prompt?: string | undefined
  directory?: string | undefined
}) {
  const workspace = useWorkspace()
  const { mux, overlay, hello, connection, say } = workspace
  // A given first prompt has a draft of its own.
  const draft = `new-session/${first.slice(0, 80)}`
  const [prompt, setPrompt, forgetPrompt] = useDraft(draft, first)
  const [title, setTitle, forgetTitle] = useDraft(`${draft}/title`)
  const [mode, setMode, forgetMode] = useDraft(`${draft}/mode`)
  const [model, setModel, forgetModel] = useDraft(`${draft}/model`)
  const cwd = useDirectory(directory)
  const problem = useSignal('')
  const [submission, setSubmission] = useState<Submission>()
  const close = () => {
    submission?.takeBack()
    overlay.value = undefined
  }
  const claude = claudeIn(hello.value)

  const start = async () => {
    if (submission || !prompt.trim()) return
    problem.value = ''
    const options: ClaudeOptions = {
      ...(model.trim() && { model: model.trim() }),
      ...(mode && { permissionMode: mode }),
    }
    const directoryNow = cwd.value.trim()
    const submitted = submit(mux, {
      prompt,
      create: { cwd: directoryNow, options, ...(title.trim() && { title: title.trim() }) },
      key: randomKey(),
    })
    setSubmission(submitted)
    try {
      const run = await submitted.run
      if (!run) return
      rememberDirectory(directoryNow)
      for (const forget of [forgetPrompt, forgetTitle, forgetMode, forgetModel]) forget()
      overlay.value = undefined
      await showSession(workspace, run.session)
    } catch (error) {
      // A closed dialog cannot show the problem.
      problem.value = messageOf(error)
      if (overlay.peek()?.kind !== 'new-session') say(messageOf(error), 'problem')
    } finally {
      setSubmission(undefined)
    }
  }
  const isWaiting = submission !== undefined && connection.status.value.state !== 'open'

  return (
    <Dialog label="New session" class="new-session" onClose={close}>
      <form
        onSubmit={event => {
          event.preventDefault()
          void start()
        }}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault()
            void start()
          }
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
            readOnly={submission !== undefined}
            value={prompt}
            onInput={event => setPrompt(event.currentTarget.value)}
          />
        </label>
        <DirectoryField directory={cwd} />
        <div class="side-by-side">
          <label class="labelled">
            <span>Permissions</span>
            <select class="field" value={mode} onChange={event => setMode(event.currentTarget.value)}>
              {modes.map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <label class="labelled">
            <span>Model</span>
            <input
              class="field"
              list="models"
              dir="auto"
              placeholder="as configured"
              spellcheck={false}
              autoComplete="off"
              value={model}
              onInput={event => setModel(event.currentTarget.value)}
            />
          </label>
          <datalist id="models">
            {models.map(name => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <label class="labelled">
            <span>Title</span>
            <input
              class="field"
              placeholder="optional"
              maxLength={1_000}
              dir="auto"
              value={title}
              onInput={event => setTitle(event.currentTarget.value)}
            />
          </label>
        </div>
        {!claude && <p class="problem">No Claude Code was found: the run will say what to install.</p>}
        {isSimulator(hello.value) && (
          <p class="small dim">The simulator plays Claude Code: nothing is read or changed.</p>
        )}
        {isWaiting && (
          <p class="small" role="status">
            There is no connection: the prompt is sent as soon as there is one. Cancel takes it back.
          </p>
        )}
        <DialogFoot problem={problem.value} onClose={close}>
          <button type="submit" class="button primary" disabled={submission !== undefined}>
            {isWaiting ? 'Waiting to be sent' : submission ? 'Starting…' : 'Start'}
          </button>
        </DialogFoot>
      </form>
    </Dialog>
  )
}
