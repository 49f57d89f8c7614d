/** A choice of the value of a session setting. A value that is not among `options` is offered too. */
export function Choice({ label, value, options, disabled, onChoose }: ChoiceProps) {
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
  options: readonly { value: string; name: string }[]
  disabled: boolean
  onChoose: (value: string) => void
}

/** Without `bypassPermissions`, which the daemon's configuration has to allow. */
export const permissionModes = [
  { value: 'default', name: 'Ask first' },
  { value: 'acceptEdits', name: 'Accept edits' },
  { value: 'plan', name: 'Plan' },
]
