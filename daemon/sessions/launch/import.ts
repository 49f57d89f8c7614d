import type { Session, SessionSpec } from '../../../protocol/index.ts'
import type { Agent } from '../../agents/agent.ts'
import type { Config } from '../../config.ts'
import { RpcError } from '../../rpc/rpc-error.ts'
import { promptExcerpt } from '../machine/fold/first-prompt.ts'
import { ConversationInUse, conversationKey, inUse, openElsewhere } from '../conversation-lock/session-lock.ts'
import type { SessionContext } from '../session-context.ts'
import { checkWorkingDirectory } from './working-directory.ts'

type ImportContext = Pick<SessionContext, 'conversationLocks' | 'store' | 'log'> & { agent: Agent; config: Config }

/**
 * Checks that a conversation that began outside this muxd can be imported: it exists in that directory, something has
 * been said in it, and no live process is known to have it open. Resolves with its first prompt. Rejects with
 * `RpcError`.
 */
export async function checkImport(
  { cwd: given, conversationId: id, options }: SessionSpec & { conversationId: string },
  pointer: string,
  context: ImportContext,
): Promise<Pick<Session, 'firstPrompt'>> {
  const cwd = checkWorkingDirectory(given, context.config.allowRoots, `${pointer}/cwd`)
  const { conversations } = context.agent
  const key = conversationKey(context.agent, options?.env, id)
  const found = await conversations.find(key.config, id, cwd)
  if ('lookedAt' in found) throw unknown(id, `in ${cwd}: ${found.lookedAt} does not exist`, found.lookedAt)
  const { path, elsewhere, prompt } = found
  if (elsewhere !== undefined) throw unknown(id, `in ${cwd}: it is one of ${elsewhere}`, path)
  if ((await conversations.readEnd(path)).message === undefined)
    throw unknown(id, `yet: nothing is said in ${path}`, path)
  const other = await openElsewhere(context, key)
  if (other) throw inUse(new ConversationInUse(id, other))
  return prompt ? { firstPrompt: promptExcerpt(prompt) } : {}
}

const unknown = (id: string, why: string, path: string) =>
  new RpcError('not_found', `there is no conversation ${id} ${why}`, { conversationId: id, path })
