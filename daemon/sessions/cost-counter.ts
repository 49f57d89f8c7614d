import type { Session } from '../../protocol/index.ts'
import type { Beginning } from '../agents/claude/command-line.ts'
import { findTranscript, readEnd } from '../agents/claude/transcripts.ts'
import type { ConversationKey } from './claims.ts'

/**
 * Where Claude Code's cost counter stands when the process begins: at zero for a new conversation and for a fork. A resumed
 * conversation goes on from the counter in its transcript. That is less than the session's cost after a kill, and more when
 * another program continued the conversation. Versions before 2.1.277 write no counter, and each process counts from zero.
 */
export async function counterBefore(
  beginning: Beginning,
  { config }: ConversationKey,
  { cwd }: Pick<Session, 'cwd'>,
): Promise<number> {
  if (!('resume' in beginning)) return 0
  const found = await findTranscript(config, beginning.resume, cwd)
  const end = 'path' in found ? await readEnd(found.path).catch(() => undefined) : undefined
  return end?.counterUsd ?? 0
}
