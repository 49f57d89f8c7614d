import type { Failure } from '../../../protocol/index.ts'
import type { AgentCodec } from '../../agents/agent.ts'
import { isNoSpace } from '../../os/system-error.ts'
import { DiskFull } from '../../store/store.ts'
import { ConversationInUse } from '../conversation-lock/session-lock.ts'

/** The failures of runs that muxd itself could not start or continue. */

export const startFailure = (agent: AgentCodec, error: unknown): Failure =>
  agent.failure(error instanceof ConversationInUse ? 'in_use' : 'spawn_failed', (error as Error).message)

export const isDiskFull = (error: unknown) => error instanceof DiskFull || isNoSpace(error)

export const storageFailure = (agent: AgentCodec, error: unknown): Failure =>
  isDiskFull(error)
    ? agent.failure('disk_full', (error as Error).message)
    : { ...agent.failure('unknown', (error as Error).message), ...unwritable }

const unwritable = {
  title: 'The log could not be written',
  advice: 'See the detail and `muxd logs`, then run it again',
  retryable: true,
} as const
