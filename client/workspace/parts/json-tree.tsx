import { useState } from 'preact/hooks'

/** Number of children shown at first, and added by each click. */
const step = 100
const longText = 400

/** A JSON value, folded beyond its first level. */
export function JsonTree({ value, name, open = true }: { value: unknown; name?: string; open?: boolean }) {
  const [isOpen, setOpen] = useState(open)
  const [shown, setShown] = useState(step)
  const label = name === undefined ? null : <span class="json-name">{name}: </span>
  if (typeof value !== 'object' || value === null)
    return (
      <div class="json-leaf">
        {label}
        <Scalar value={value} />
      </div>
    )
  const entries = Object.entries(value)
  const brackets = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (!entries.length)
    return (
      <div class="json-leaf">
        {label}
        {brackets.join('')}
      </div>
    )
  return (
    <details class="json-node" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="dim">
          {brackets[0]} {entries.length} {brackets[1]}
        </span>
      </summary>
      {isOpen && (
        <div class="json-children">
          {entries.slice(0, shown).map(([key, child]) => (
            <JsonTree key={key} name={key} value={child} open={false} />
          ))}
          {entries.length > shown && (
            <button type="button" class="link" onClick={() => setShown(shown + step)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </details>
  )
}

function Scalar({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false)
  if (typeof value !== 'string') return <span class="json-scalar">{String(value)}</span>
  const isCut = value.length > longText && !whole
  return (
    <span class="json-text">
      {JSON.stringify(isCut ? value.slice(0, longText) : value)}
      {isCut && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          {value.length - longText} more characters
        </button>
      )}
    </span>
  )
}
