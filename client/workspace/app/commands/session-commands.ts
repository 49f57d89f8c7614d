import { parseBlockId } from '../../layout/block.ts'
import type { Command } from './command.ts'
import { showSession } from '../../context/show-session.ts'
import { messageOf } from '../../parts/format.ts'
import type { Workspace } from '../../context/workspace.ts'

/** Returns the commands for the session of the active pane, and the command that imports a conversation. */
export function currentSessionCommands(workspace: Workspace): Command[] {
  const { readOnly, overlay, paneManager, api, say } = workspace
  if (readOnly) return []
  const command = (id: string, title: string, hint: string, run: () => void): Command => ({
    id,
    group: 'Session',
    title,
    hint,
    run,
  })
  const taken = command('import', 'Import a conversation…', 'begun in a directory without muxd', () => {
    overlay.value = { kind: 'import' }
  })
  const session = parseBlockId(paneManager.active.value ?? '')?.session
  if (session === undefined) return [taken]
  const fork = () =>
    void api.session
      .fork({ session })
      .then(forked => showSession(workspace, forked.session, 'right'))
      .catch((error: unknown) => say(messageOf(error), 'problem'))
  return [
    command('rename', 'Rename this session…', 'title, labels', () => (overlay.value = { kind: 'naming', session })),
    command('fork', 'Fork this session', 'another with the conversation so far', fork),
    command('close-session', 'Close this session…', 'ends its process', () => {
      overlay.value = { kind: 'close-session', session }
    }),
    taken,
  ]
}
