import type { ClaudeOptions, RunLimits } from '../../../protocol/index.ts'

/**
 * The limits that Claude Code keeps itself, given to a process when it is started. It counts turns for each prompt
 * anew, and money from the start of the process on.
 */
export type ProcessLimits = Pick<RunLimits, 'maxTurns' | 'maxBudgetUsd'>

/** What a process is started with for a run: of the session's limits and the run's own the stricter ones. */
export function withLimits(options: ClaudeOptions, limits: ProcessLimits = {}): ClaudeOptions {
  const { maxTurns, maxBudgetUsd } = limits
  return {
    ...options,
    ...(maxTurns !== undefined && { maxTurns: Math.min(maxTurns, options.maxTurns ?? Infinity) }),
    ...(maxBudgetUsd !== undefined && { maxBudgetUsd: Math.min(maxBudgetUsd, options.maxBudgetUsd ?? Infinity) }),
  }
}

/** Whether a process that was started for a run with the one limits holds those of another run as well. */
export const holdsLimits = (process: ProcessLimits = {}, run: ProcessLimits = {}): boolean =>
  process.maxTurns === run.maxTurns && process.maxBudgetUsd === undefined && run.maxBudgetUsd === undefined
