import { nanoid } from 'nanoid'
import type { Session } from '../../protocol/index.ts'
import type { Beginning } from '../claude/command-line.ts'
import { findTranscript, readEnd } from '../claude/transcripts.ts'
import type { Store, StoredProcess } from '../store/store.ts'
import type { ConversationKey } from './claims.ts'

/** The row of a process that is about to be started for the run whose `run_started` is `firstSeq`. */
export const newProcess = (
  session: Session,
  beginning: Beginning,
  firstSeq: number,
  counterUsd: number,
  translator: string,
): StoredProcess => ({
  id: `p_${nanoid()}`,
  session: session.session,
  nonce: nanoid(16).replaceAll(/[^A-Za-z0-9]/g, 'x'),
  pid: 0,
  startedAt: Date.now(),
  offset: 0,
  costUsdBefore: session.costUsd,
  counterUsdBefore: counterUsd,
  counterUsd,
  resumed: !('start' in beginning),
  firstSeq,
  claudeSessionIdBefore: session.claudeSessionId,
  raw: 'kept',
  frames: null,
  translator,
  endedAt: null,
})

/**
 * Where Claude Code's cost counter will stand when the process begins: at zero for a new conversation, and for a fork. For
 * one that is taken up at what its transcript says, which is less than was told where a process was killed, and more where
 * somebody else went on with it: neither is to be counted here. Versions that do not write it down go on where they were.
 */
export async function counterBefore(
  beginning: Beginning,
  { config }: ConversationKey,
  { session, cwd }: Session,
  { processes }: Pick<Store, 'processes'>,
): Promise<number> {
  if (!('resume' in beginning)) return 0
  const known = processes.ofSession(session).at(-1)?.counterUsd ?? 0
  const found = await findTranscript(config, beginning.resume, cwd)
  const end = 'path' in found ? await readEnd(found.path).catch(() => undefined) : undefined
  return end?.counterUsd ?? known
}
