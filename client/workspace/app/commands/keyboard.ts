import { commandsOf } from './commands.ts'
import { isChord, isMac, isTyping } from '../../context/keys.ts'
import type { Workspace } from '../../context/workspace.ts'

/** Runs commands by their keys, wherever the focus is. Returns a function that stops it. */
export function startKeyboard(workspace: Workspace): () => void {
  const mac = isMac()
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    const bare = !event.ctrlKey && !event.metaKey && !event.altKey
    if (bare && isTyping(event.target)) return
    const { overlay } = workspace
    const command = commandsOf(workspace).find(({ keys }) => keys !== undefined && isChord(event, keys, mac))
    // An open dialog gets all other keys.
    if (!command || (overlay.value && command.id !== 'palette')) return
    event.preventDefault()
    command.run()
  }
  addEventListener('keydown', onKeyDown)
  return () => removeEventListener('keydown', onKeyDown)
}
