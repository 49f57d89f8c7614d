import type { SlashCommand } from '../capabilities.ts'

/** The slash commands that match the prompt, shown above it. */
export function CommandsList({ id, commands, chosen, onChoose }: CommandsListProps) {
  return (
    <ul id={id} class="commands" role="listbox" aria-label="Commands">
      {commands.map(({ name, description, argumentHint }, index) => (
        <li
          key={name}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          // The prompt keeps the focus.
          onMouseDown={event => {
            event.preventDefault()
            onChoose(index)
          }}
        >
          <span class="mono">
            /{name} <span class="dim">{argumentHint}</span>
          </span>
          <span class="dim clip" dir="auto">
            {description}
          </span>
        </li>
      ))}
    </ul>
  )
}

interface CommandsListProps {
  id: string
  commands: readonly SlashCommand[]
  chosen: number
  onChoose: (index: number) => void
}
