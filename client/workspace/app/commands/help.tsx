import { Dialog } from '../../parts/dialog.tsx'
import { commandsOf } from './commands.ts'
import { chordText, isMac } from '../../context/keys.ts'
import { useWorkspace } from '../../context/workspace.ts'

const inBlocks = (mac: boolean): [keys: string, what: string][] => [
  ['↑ ↓', 'move in a list, of sessions, questions or frames'],
  ['Enter', 'open the session'],
  ['A', 'allow the question that has the focus'],
  ['D', 'deny it'],
  ['Enter', 'send the prompt; with Shift a new line'],
  ['/', 'at the beginning of a prompt: commands'],
  [chordText('Mod+KeyF', mac), 'search in the conversation'],
  ['Esc', 'cancel its run; again: end its process'],
  [chordText('Shift+Esc', mac), 'kill its process and what that started'],
  ['Shift+↑ ↓', 'move the queued prompt that has the focus'],
  ['Delete', 'take it out of the queue'],
]

/** The dialog that lists all keys. */
export function Help() {
  const workspace = useWorkspace()
  const mac = isMac()
  const withKeys = commandsOf(workspace).filter(({ keys, id }) => keys && !id.startsWith('focus-'))
  const groups = [...new Set(withKeys.map(({ group }) => group))]
  return (
    <Dialog label="Keyboard" class="help" onClose={() => (workspace.overlay.value = undefined)}>
      <header class="dialog-head">
        <h2>Keyboard</h2>
        <button type="button" class="button" autoFocus onClick={() => (workspace.overlay.value = undefined)}>
          Close
        </button>
      </header>
      <div class="help-groups">
        {groups.map(group => (
          <Keys
            key={group}
            title={group}
            rows={[
              ...withKeys
                .filter(command => command.group === group)
                .map(({ keys, title }): [string, string] => [chordText(keys!, mac), title]),
              ...(group === 'Panes'
                ? [[mac ? '⌥1 … 9' : 'Alt+1 … 9', 'Go to a block by its place'] as [string, string]]
                : []),
            ]}
          />
        ))}
        <Keys title="In a block" rows={inBlocks(mac)} />
      </div>
    </Dialog>
  )
}

function Keys({ title, rows }: { title: string; rows: [keys: string, what: string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
