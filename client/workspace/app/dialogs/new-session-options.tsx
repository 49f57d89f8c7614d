import type { NewSessionDraft } from './new-session-draft.ts'

const modes: [value: string, label: string][] = [
  ['', 'as configured'],
  ['default', 'ask before anything changes'],
  ['acceptEdits', 'edit files without asking'],
  ['plan', 'plan only'],
]

const models = ['opus', 'sonnet', 'haiku']

/** The optional fields of a new session, side by side. */
export function NewSessionOptions({ draft: { permissionMode, model, title } }: { draft: NewSessionDraft }) {
  return (
    <div class="side-by-side">
      <label class="labelled">
        <span>Permissions</span>
        <select
          class="field"
          value={permissionMode.text}
          onChange={event => permissionMode.write(event.currentTarget.value)}
        >
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
          value={model.text}
          onInput={event => model.write(event.currentTarget.value)}
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
          value={title.text}
          onInput={event => title.write(event.currentTarget.value)}
        />
      </label>
    </div>
  )
}
