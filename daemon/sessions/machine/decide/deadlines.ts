import { limits } from '../../../../protocol/limits.ts'
import { approvalDeadline } from './approvals.ts'
import { jobDeadline } from './jobs.ts'
import { isEndable, isIdle, listening, type Machine } from '../machine.ts'
import { limitOf } from './pursue.ts'
import { cancellerOf } from '../fold/questions.ts'
import { graceOver } from '../volatile.ts'

/** Returns when the next `tick` is due, in ms since epoch; `Infinity` if never. One timer serves all sessions. */
export function nextDeadline(m: Machine): number {
  const { s, v } = m
  const { config, process } = v
  const due: (number | undefined)[] = [jobDeadline(m)]
  if (v.mode === 'open') due.push(limitOf(m)?.at)
  if (process?.pursuit && process.phase === 'live' && v.mode === 'open')
    due.push(graceOver(v, process.pursuit.at, config.cancelGraceMs))
  if (process?.ending && isEndable(m)) due.push(graceOver(v, process.ending.at, config.resultGraceMs))
  if (process?.rules === 'asked' && process.rulesRequest && listening(m))
    due.push(process.rulesRequest.at + limits.updateTimeoutMs)
  if (v.backgroundSince !== undefined && v.slot === 'none' && v.mode === 'open')
    due.push(v.backgroundSince + config.backgroundWaitMs)
  if (isIdle(m) && listening(m) && v.idleSince !== undefined) due.push(v.idleSince + config.idleCloseMs)
  if (v.mode === 'open' && listening(m)) {
    for (const { approval } of s.open) if (!cancellerOf(s, approval)) due.push(approvalDeadline(m, approval)?.at)
  }
  return due.reduce<number>((first, at) => Math.min(first, at ?? Infinity), Infinity)
}
