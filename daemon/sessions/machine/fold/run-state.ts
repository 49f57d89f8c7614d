import type { RunState, TerminalType } from '../../../../protocol/index.ts'

/**
 * The life of a run:
 *
 *              started              turn ended
 *   queued ───────────▶ running ─────────────────▶ done | failed
 *     │                   │  ▲ process ended ────▶ failed
 *     │ cancel requested  │ cancel requested
 *     ▼                   ▼         turn failed, process ended
 *   cancelled        cancelling ─────────────────▶ cancelled
 *                         └──── turn done ────────▶ done   (the request came too late)
 *
 *   A run that hits a limit of its own is `cancelling` too, but ends as `failed` instead of `cancelled`.
 *
 *   any of the three ── lost ──▶ interrupted;   any of the three ── refused ──▶ failed
 */
export type RunInput =
  /** The run has left the queue. */
  | 'started'
  | 'cancel_requested'
  /** The run has hit one of its limits. */
  | 'limit_reached'
  /** The agent has reported the result of the turn. */
  | 'turn_done'
  | 'turn_failed'
  /** The process has ended without a result. */
  | 'process_ended'
  /** muxd itself cannot start or continue the run, for example without Claude Code or on a full disk. */
  | 'refused'
  /** The daemon was stopped, or the outcome is unknown because the pty-host died or the exit record is damaged. */
  | 'lost'

/**
 * Returns the state after `input`; the same state if the input has no effect in it. `exceeded`: the run has hit a
 * limit, so it ends as `failed` instead of `cancelled`.
 */
export function nextRunState(state: RunState, input: RunInput, exceeded = false): RunState {
  const next = transitions[state][input] ?? state
  return next === 'cancelled' && exceeded ? 'failed' : next
}

/** Narrows to the final states. Each has the name of its terminal event. */
export const isEnded = (state: RunState): state is TerminalType =>
  state === 'done' || state === 'failed' || state === 'cancelled' || state === 'interrupted'

const transitions: Record<RunState, Partial<Record<RunInput, RunState>>> = {
  queued: { started: 'running', cancel_requested: 'cancelled', refused: 'failed', lost: 'interrupted' },
  running: {
    cancel_requested: 'cancelling',
    limit_reached: 'cancelling',
    turn_done: 'done',
    turn_failed: 'failed',
    process_ended: 'failed',
    refused: 'failed',
    lost: 'interrupted',
  },
  cancelling: {
    turn_done: 'done',
    turn_failed: 'cancelled',
    process_ended: 'cancelled',
    refused: 'failed',
    lost: 'interrupted',
  },
  done: {},
  failed: {},
  cancelled: {},
  interrupted: {},
}
