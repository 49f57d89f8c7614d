import type { ClaudeOptions, RunLimits } from '../../../../protocol/index.ts'

/**
 * The limits that Claude Code enforces itself. A process gets them at its start. It counts turns for each prompt, and
 * money since its start.
 */
export type ProcessLimits = Pick<RunLimits, 'maxTurns' | 'maxBudgetUsd'>

/** Returns the options to start a process with for a run: the stricter of the limits of the session and of the run. */
export function withLimits(options: ClaudeOptions, limits: ProcessLimits = {}): ClaudeOptions {
  const { maxTurns, maxBudgetUsd } = limits
  return {
    ...options,
    ...(maxTurns !== undefined && { maxTurns: Math.min(maxTurns, options.maxTurns ?? Infinity) }),
    ...(maxBudgetUsd !== undefined && { maxBudgetUsd: Math.min(maxBudgetUsd, options.maxBudgetUsd ?? Infinity) }),
  }
}

/** Whether a process that was started with the limits `process` also enforces those of a run, and no others. */
export const holdsLimits = (process: ProcessLimits = {}, run: ProcessLimits = {}): boolean =>
  process.maxTurns === run.maxTurns && process.maxBudgetUsd === undefined && run.maxBudgetUsd === undefined
