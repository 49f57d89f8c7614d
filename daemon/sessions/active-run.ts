import { randomUUID } from 'node:crypto'
import { nanoid } from 'nanoid'
import type { Actor, RunLimits } from '../../protocol/index.ts'
import type { Place } from './admission.ts'
import { type LiveRun, queuedRun, resumeRun } from './machine/live-run.ts'

export type { ReachedLimit } from './machine/end-request.ts'

export { advance, createBackgroundRun, resumeRun, sealRun, terminalEvent } from './machine/live-run.ts'

/** A live run with its place among the active runs. Turns that Claude Code begins itself have none. */
export interface ActiveRun extends LiveRun {
  place?: Place
}

/** A run that somebody asked for. */
export const createRun = (
  session: string,
  prompt: string,
  by: Actor,
  firstSeq: number,
  limits?: RunLimits,
): ActiveRun => {
  const run = queuedRun(`r_${nanoid()}`, session, prompt, by, firstSeq)
  return resumeRun({ run: { ...run, ...(limits && { limits }) }, promptUuid: randomUUID() })
}
