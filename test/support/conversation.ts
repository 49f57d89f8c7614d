import { claude } from '../../daemon/agents/claude/agent.ts'
import { createConversation } from '../../daemon/sessions/conversation.ts'
import { createRecorder } from '../../daemon/sessions/recorder.ts'
import { createJournal } from '../../daemon/store/journal/journal.ts'
import type { Store, StoredProcess } from '../../daemon/store/store.ts'
import { session } from './records.ts'

/** Creates the part of a session that writes, over the stored state. Each entry is committed at once. */
export function openConversation(store: Store, process: StoredProcess) {
  const journal = createJournal(store, { sessionEvents: () => {}, record: () => {} })
  const recorder = createRecorder({
    session: process.session,
    head: store.events.bounds(process.session).head,
    journal: { ...journal, append: entry => (journal.append(entry), journal.flush()) },
    onPublished: () => {},
    onFailed(error) {
      throw error
    },
  })
  const hooks = { reply: () => {}, answered: () => {}, runEnded: () => {}, outcomeHeld: () => {} }
  const conversation = createConversation(session(process.session), recorder, hooks, claude)
  conversation.processStarted(process)
  return { recorder, conversation }
}
