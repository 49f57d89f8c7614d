import { untilKnown } from '../records.ts'
import type { Where } from './desk.ts'
import type { Workspace } from './workspace.ts'

/** Opens the pane of a session that was made a moment ago. */
export async function showSession({ records, desk }: Workspace, session: string, where?: Where): Promise<void> {
  await untilKnown(records, session)
  // A dialog gives the focus back before the new pane takes it.
  setTimeout(() => desk.show({ kind: 'session', session }, where))
}
