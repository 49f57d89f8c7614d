import { untilKnown } from '../records.ts'
import type { Where } from './pane-manager.ts'
import type { Workspace } from './workspace.ts'
import { conversationOf } from '../layout/block.ts'

/** Opens the pane of a new session, once its record has arrived. */
export async function showSession({ records, paneManager }: Workspace, session: string, where?: Where): Promise<void> {
  await untilKnown(records, session)
  // A dialog gives the focus back before the new pane takes it.
  setTimeout(() => paneManager.show(conversationOf(session), where))
}
