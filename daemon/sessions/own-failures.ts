import type { Failure } from '../../protocol/index.ts'
import { isNoSpace } from '../store/sqlite.ts'
import { DiskFull } from '../store/store.ts'

/** Why a run failed that muxd itself could not go on with; what Claude Code reports is `claude/failure.ts`'s part. */

export const spawnFailure = (error: unknown): Failure => ({
  code: 'spawn_failed',
  title: 'Claude Code could not be started',
  detail: (error as Error).message,
  retryable: false,
})

export const isDiskFull = (error: unknown) => error instanceof DiskFull || isNoSpace(error)

export const storageFailure = (error: unknown): Failure => ({
  code: isDiskFull(error) ? 'disk_full' : 'unknown',
  title: isDiskFull(error) ? 'The disk is full: make room, then run it again' : 'The log could not be written',
  detail: (error as Error).message,
  retryable: true,
})
