import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Dialog } from '../../parts/dialog.tsx'
import type { Command } from './command.ts'
import { commandsOf } from './commands.ts'
import { chosenOf, findCommands } from './find-commands.ts'
import { chordText, isMac } from '../../context/keys.ts'
import { useWorkspace } from '../../context/workspace.ts'

/** The dialog that finds and runs commands. */
export function Palette({ query: first = '' }: { query?: string | undefined }) {
  const workspace = useWorkspace()
  const query = useSignal(first)
  // The id of the command, not its index, because the list may change while the palette is open.
  const picked = useSignal<string | undefined>(undefined)
  const list = useRef<HTMLUListElement>(null)
  const commands = commandsOf(workspace).filter(({ id }) => id !== 'palette')
  const found = findCommands(commands, query.value)
  const chosen = chosenOf(found, picked.value)
  const close = () => (workspace.overlay.value = undefined)

  useLayoutEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [found[chosen]?.id, query.value])

  const run = (command: Command | undefined) => {
    if (!command) return
    close()
    // After the dialog has returned the focus, because the command may move it.
    setTimeout(() => command.run())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    if (step !== undefined) picked.value = found[Math.max(0, Math.min(found.length - 1, chosen + step))]?.id
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }

  return (
    <Dialog label="Command palette" class="palette" onClose={close}>
      <input
        class="palette-input"
        role="combobox"
        dir="auto"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant={found[chosen] && `command-${chosen}`}
        placeholder="What would you like to do?"
        autoFocus
        value={query.value}
        onInput={event => {
          query.value = event.currentTarget.value
          picked.value = undefined
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="palette-list" class="palette-list" role="listbox" aria-label="Commands" ref={list}>
        {found.map((command, index) => (
          <li
            key={command.id}
            id={`command-${index}`}
            class="palette-row"
            role="option"
            aria-selected={index === chosen}
            onMouseMove={() => (picked.value = command.id)}
            onClick={() => run(command)}
          >
            <span class="dim small palette-group">{command.group}</span>
            <span class="clip" dir="auto">
              {command.title}
            </span>
            {command.hint && <span class="dim small clip palette-hint">{command.hint}</span>}
            {command.keys && <kbd>{chordText(command.keys, isMac())}</kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">Nothing is called that.</p>}
      <p class="unseen" aria-live="polite">
        {found.length} commands
      </p>
    </Dialog>
  )
}
