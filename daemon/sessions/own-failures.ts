import type { Failure } from '../../protocol/index.ts'
import { failureOf } from '../agents/claude/failure.ts'
import { isNoSpace } from '../os/system-error.ts'
import { DiskFull } from '../store/store.ts'
import { ConversationInUse } from './ownership.ts'

/** The failures of runs that muxd itself could not continue. */

export const startFailure = (error: unknown): Failure =>
  failureOf({ code: error instanceof ConversationInUse ? 'in_use' : 'spawn_failed' }, (error as Error).message)

export const isDiskFull = (error: unknown) => error instanceof DiskFull || isNoSpace(error)

export const storageFailure = (error: unknown): Failure =>
  failureOf(isDiskFull(error) ? { code: 'disk_full' } : unwritable, (error as Error).message)

const unwritable = {
  code: 'unknown',
  title: 'The log could not be written',
  advice: 'See the detail and `muxd logs`, then run it again',
  retryable: true,
} as const
