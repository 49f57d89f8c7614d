import { usePane } from '../pane-context.ts'

/** The choices of a session's permission mode and model. Only models that are known can be chosen. */
export function Choices({ permissionMode, model, models, disabled }: ChoicesProps) {
  const { mux, session, report } = usePane()
  const update = (change: { model?: string; permissionMode?: string }) =>
    void mux.api.session.update({ session, ...change }).catch(report)
  return (
    <>
      <Choice
        label="Permission mode"
        value={permissionMode}
        options={permissionModes}
        disabled={disabled}
        onChoose={value => update({ permissionMode: value })}
      />
      {models.length > 0 && (
        <Choice
          label="Model"
          value={model}
          options={models}
          disabled={disabled}
          onChoose={value => update({ model: value })}
        />
      )}
    </>
  )
}

type Options = readonly { value: string; name: string }[]

interface ChoicesProps {
  permissionMode: string
  model: string
  models: Options
  disabled: boolean
}

/** Without `bypassPermissions`, which the daemon's configuration has to allow. */
const permissionModes: Options = [
  { value: 'default', name: 'Ask first' },
  { value: 'acceptEdits', name: 'Accept edits' },
  { value: 'plan', name: 'Plan' },
]

/** A value that is not among `options` is offered too. */
function Choice({ label, value, options, disabled, onChoose }: ChoiceProps) {
  const known = options.some(option => option.value === value)
  return (
    <label class="choice" title={label}>
      <span class="unseen">{label}</span>
      <select value={value} disabled={disabled} onChange={event => onChoose(event.currentTarget.value)}>
        {!known && <option value={value}>{value || 'default'}</option>}
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  )
}

interface ChoiceProps {
  label: string
  value: string
  options: Options
  disabled: boolean
  onChoose: (value: string) => void
}
