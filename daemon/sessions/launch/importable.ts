import type { Importable } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import { promptExcerpt } from '../machine/fold/first-prompt.ts'
import { openElsewhere } from '../conversation-lock/session-lock.ts'
import type { SessionContext } from '../session-context.ts'

/**
 * Lists the conversations that the agent knows in a directory, last used first. Marks those that cannot be imported: a
 * session of this muxd has them (`session`), or a live process elsewhere is known to have them open (`openIn`).
 */
export async function listImportable(
  cwd: string,
  limit: number,
  context: Pick<SessionContext, 'conversationLocks' | 'store' | 'log'> & { agent: Agent },
): Promise<Importable[]> {
  const { conversations } = context.agent
  const config = conversations.directory(undefined)
  const found = await conversations.list(config, cwd, limit)
  const owners = new Map(context.store.sessions.all().map(owner => [owner.conversationId, owner.session]))
  const listing = conversations.listOpen(config)
  return await Promise.all(
    found.map(async ({ id: conversationId, prompt, ...facts }) => {
      const session = owners.get(conversationId)
      const key = { config, claudeSessionId: conversationId }
      const openIn = session === undefined ? await openElsewhere(context, key, listing) : undefined
      return {
        conversationId,
        prompt: promptExcerpt(prompt),
        ...facts,
        ...(session !== undefined && { session }),
        ...(openIn && 'pid' in openIn && { openIn }),
      }
    }),
  )
}
