import type { Run } from '../../../sdk/browser.ts'
import { harmless } from '../../../text/harmless.ts'
import { summaryOf } from '../../approvals/approval-input.ts'
import { approvalList, conversationOf, parseBlockId } from '../../layout/block.ts'
import { paneKinds } from '../../panes/registry.ts'
import { blockTitle } from '../../panes/titles.ts'
import { sessionName } from '../../../text/session-name.ts'
import { messageOf, oneLine } from '../../parts/format.ts'
import { openWorkspace } from './switch-workspace.ts'
import type { Chord } from '../../context/keys.ts'
import type { Command } from './command.ts'
import { currentSessionCommands } from './session-commands.ts'
import { nextTheme, theme } from '../../theme.ts'
import type { Workspace } from '../../context/workspace.ts'

/** Returns all commands that are possible now. */
export function commandsOf(workspace: Workspace): Command[] {
  return [
    ...runCommands(workspace),
    ...currentSessionCommands(workspace),
    ...blockCommands(workspace),
    ...paneCommands(workspace),
    ...approvalCommands(workspace),
    ...sessionCommands(workspace),
    ...workspaceCommands(workspace),
    ...pageCommands(workspace),
  ]
}

function runCommands({ overlay, readOnly, paneManager, records, say }: Workspace): Command[] {
  if (readOnly) return []
  const cancel = (run: Run): Command => ({
    id: `cancel-${run.run}`,
    group: 'Runs',
    title: `Cancel: ${oneLine(run.prompt, 60)}`,
    hint: titleOf(records, run.session),
    run: () => (overlay.value = { kind: 'cancel', run: run.run }),
  })
  const active = [...records.active.value.values()].flat()
  const here = records.active.value.get(parseBlockId(paneManager.active.value ?? '')?.session ?? '')?.[0]
  return [
    {
      id: 'new',
      group: 'Runs',
      title: 'New session…',
      keys: 'Alt+KeyN',
      run: () => (overlay.value = { kind: 'new-session' }),
    },
    {
      id: 'cancel-here',
      group: 'Runs',
      title: 'Cancel what runs in this pane…',
      keys: 'Alt+Period',
      run: () => {
        if (here) overlay.value = { kind: 'cancel', run: here.run }
        else say('Nothing runs in this pane')
      },
    },
    ...active.map(cancel),
  ]
}

function blockCommands({ paneManager }: Workspace): Command[] {
  const session = parseBlockId(paneManager.active.value ?? '')?.session
  return paneKinds.flatMap((pane): Command[] => {
    const { kind, key } = pane
    const common = { id: `open-${kind}`, group: 'Blocks', ...(key && { keys: key }) }
    if (pane.of === 'daemon')
      return [{ ...common, title: `Open ${pane.title.toLowerCase()}`, run: () => paneManager.show({ kind }) }]
    if (session === undefined || !pane.command) return []
    return [{ ...common, ...pane.command, run: () => paneManager.show({ kind, session }, 'right') }]
  })
}

function paneCommands({ paneManager, records }: Workspace): Command[] {
  const panes = paneManager.panes.value
  const active = paneManager.active.value
  const open = paneManager.open.value
  const pane = (id: string, title: string, keys: Chord, run: () => void): Command => ({
    id,
    group: 'Panes',
    title,
    keys,
    run,
  })
  const always = [
    ...open.map(
      (id, index): Command => ({
        id: `focus-${id}`,
        group: 'Panes',
        title: `Go to ${blockTitle(id, records.sessions.value)}`,
        ...(index < 9 && { keys: `Alt+Digit${index + 1}` }),
        run: () => paneManager.focus(id),
      }),
    ),
    pane('close', 'Close this block', 'Alt+KeyW', () => paneManager.close()),
  ]
  if (!panes || active === undefined) return always
  return [
    ...always,
    pane('split-right', 'Split to the right', 'Alt+Backslash', () => panes.split(active, 'right')),
    pane('split-below', 'Split below', 'Alt+Minus', () => panes.split(active, 'below')),
    pane('maximise', paneManager.maximised.value ? 'Restore the pane' : 'Maximise the pane', 'Alt+KeyM', () =>
      panes.maximise(active),
    ),
    pane('next-tab', 'Next tab', 'Alt+BracketRight', () => panes.turn(1)),
    pane('previous-tab', 'Previous tab', 'Alt+BracketLeft', () => panes.turn(-1)),
    ...(['left', 'right', 'up', 'down'] as const).flatMap(direction => {
      const arrow = { left: 'ArrowLeft', right: 'ArrowRight', up: 'ArrowUp', down: 'ArrowDown' }[direction]
      const where = { left: 'to the left', right: 'to the right', up: 'above', down: 'below' }[direction]
      return [
        pane(`step-${direction}`, `Go to the pane ${where}`, `Alt+${arrow}`, () => panes.step(direction)),
        pane(`move-${direction}`, `Move this block ${where}`, `Alt+Shift+${arrow}`, () =>
          panes.move(active, direction),
        ),
      ]
    }),
    pane('grow', 'Make the pane larger', 'Alt+Shift+Period', () => panes.resize(0.1)),
    pane('shrink', 'Make the pane smaller', 'Alt+Shift+Comma', () => panes.resize(-0.1)),
  ]
}

function approvalCommands({ readOnly, records, api, say, paneManager }: Workspace): Command[] {
  return records.approvals.value.slice(0, 20).flatMap((approval): Command[] => {
    const hint = titleOf(records, approval.session)
    const summary = oneLine(summaryOf(approval), 80)
    const answer = (decision: 'allow' | 'deny') => () => {
      api.approval
        .answer({ approval: approval.approval, decision })
        .then(() => say(decision === 'allow' ? 'Allowed' : 'Denied'))
        .catch((error: unknown) => say(messageOf(error), 'problem'))
    }
    const look: Command = {
      id: `look-${approval.approval}`,
      group: 'Approvals',
      title: `Look at ${summary}`,
      hint,
      words: 'allow deny answer',
      run: () => paneManager.show(approvalList),
    }
    if (readOnly || approval.kind === 'question') return [look]
    const final = (id: string, title: string, run: () => void): Command => ({
      id,
      group: 'Approvals',
      title,
      hint,
      isFinal: true,
      run,
    })
    return [
      look,
      final(`allow-${approval.approval}`, `Allow ${summary}`, answer('allow')),
      final(`deny-${approval.approval}`, `Deny ${summary}`, answer('deny')),
    ]
  })
}

function sessionCommands({ records, paneManager }: Workspace): Command[] {
  return [...records.sessions.value.values()]
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(0, 200)
    .map(session => ({
      id: `session-${session.session}`,
      group: 'Sessions',
      title: `Open ${sessionName(session)}`,
      hint: harmless(session.cwd),
      run: () => paneManager.show(conversationOf(session.session)),
    }))
}

function workspaceCommands({ workspaces, name }: Workspace): Command[] {
  return workspaces.value
    .filter(other => other !== name)
    .map(other => ({
      id: `workspace-${other}`,
      group: 'Workspaces',
      title: `Switch to workspace ${other}`,
      run: () => openWorkspace(other),
    }))
}

function pageCommands({ overlay }: Workspace): Command[] {
  return [
    {
      id: 'palette',
      group: 'Page',
      title: 'Command palette',
      keys: 'Mod+KeyK',
      run: () => (overlay.value = overlay.value?.kind === 'palette' ? undefined : { kind: 'palette' }),
    },
    {
      id: 'theme',
      group: 'Page',
      title: 'Change the theme',
      hint: `now ${theme.value}; light, dark or as the system`,
      keys: 'Alt+KeyT',
      run: nextTheme,
    },
    { id: 'help', group: 'Page', title: 'Keyboard', keys: '?', run: () => (overlay.value = { kind: 'help' }) },
  ]
}

const titleOf = (records: Workspace['records'], id: string): string => {
  const session = records.sessions.value.get(id)
  return session ? sessionName(session) : id
}
