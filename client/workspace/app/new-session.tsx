import { useSignal } from '@preact/signals'
import type { ClaudeOptions } from '../../browser.ts'
import { Dialog } from '../parts/dialog.tsx'
import { DialogFoot } from '../parts/dialog-foot.tsx'
import { DirectoryField, rememberDirectory, useDirectory } from './directory.tsx'
import { showSession } from './show-session.ts'
import { isSimulator } from './simulator.ts'
import { messageOf, useWorkspace } from './workspace.ts'

const modes: [value: string, label: string][] = [
  ['', 'as configured'],
  ['default', 'ask before anything changes'],
  ['acceptEdits', 'edit files without asking'],
  ['plan', 'plan only'],
]

const models = ['opus', 'sonnet', 'haiku']

/** Begins a session with its first prompt. */
export function NewSession({ prompt: first = '' }: { prompt?: string | undefined }) {
  const workspace = useWorkspace()
  const { mux, overlay, hello } = workspace
  const prompt = useSignal(first)
  const cwd = useDirectory()
  const title = useSignal('')
  const mode = useSignal('')
  const model = useSignal('')
  const problem = useSignal('')
  const starting = useSignal(false)
  const close = () => (overlay.value = undefined)
  const claude = hello.value.claude

  const start = async () => {
    if (starting.value) return
    starting.value = true
    problem.value = ''
    const options: ClaudeOptions = {
      ...(model.value.trim() && { model: model.value.trim() }),
      ...(mode.value && { permissionMode: mode.value }),
    }
    try {
      const directory = cwd.value.trim()
      const run = await mux.run({
        prompt: prompt.value,
        cwd: directory,
        claude: options,
        ...(title.value.trim() && { title: title.value.trim() }),
      })
      rememberDirectory(directory)
      close()
      await showSession(workspace, run.session)
    } catch (error) {
      problem.value = messageOf(error)
    } finally {
      starting.value = false
    }
  }

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
            value={prompt.value}
            onInput={event => (prompt.value = event.currentTarget.value)}
          />
        </label>
        <DirectoryField directory={cwd} />
        <div class="side-by-side">
          <label class="labelled">
            <span>Permissions</span>
            <select class="field" value={mode.value} onChange={event => (mode.value = event.currentTarget.value)}>
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
              placeholder="as configured"
              spellcheck={false}
              autoComplete="off"
              value={model.value}
              onInput={event => (model.value = event.currentTarget.value)}
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
              value={title.value}
              onInput={event => (title.value = event.currentTarget.value)}
            />
          </label>
        </div>
        {claude === null && <p class="problem">No Claude Code was found: the run will say what to install.</p>}
        {isSimulator(hello.value) && (
          <p class="small dim">The simulator plays Claude Code: nothing is read or changed.</p>
        )}
        <DialogFoot problem={problem.value} onClose={close}>
          <button type="submit" class="button primary" disabled={starting.value}>
            {starting.value ? 'Starting…' : 'Start'}
          </button>
        </DialogFoot>
      </form>
    </Dialog>
  )
}
