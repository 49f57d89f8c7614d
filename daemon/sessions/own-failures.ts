import type { Failure } from '../../protocol/index.ts'
import { failureOf } from '../agents/claude/failure.ts'
import { isNoSpace } from '../os/system-error.ts'
import { DiskFull } from '../store/store.ts'
import type { ReachedLimit } from './machine/end-request.ts'
import { ConversationInUse } from './ownership.ts'

/** Why a run failed that muxd itself could not go on with; what Claude Code reports is `claude/failure.ts`'s part. */

export const startFailure = (error: unknown): Failure =>
  failureOf({ code: error instanceof ConversationInUse ? 'in_use' : 'spawn_failed' }, (error as Error).message)

/** Claude Code did not take the session's permission rules: without them it gets no prompt. */
export const rulesFailure = (said: string): Failure => failureOf({ code: 'rules_refused' }, said)

export const isDiskFull = (error: unknown) => error instanceof DiskFull || isNoSpace(error)

export const storageFailure = (error: unknown): Failure =>
  failureOf(isDiskFull(error) ? { code: 'disk_full' } : unwritable, (error as Error).message)

const unwritable = {
  code: 'unknown',
  title: 'The log could not be written',
  advice: 'See the detail and `muxd logs`, then run it again',
  retryable: true,
} as const

/** It came to a limit that whoever started it had set. */
export const limitFailure = ({ limit, value }: ReachedLimit): Failure =>
  failureOf({ code: limit === 'timeoutMs' ? 'timed_out' : 'inactive' }, `${limit} is ${value}`)
