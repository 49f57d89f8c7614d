import type { RunState, TerminalType } from '../../protocol/index.ts'

/**
 * The life of a run, whole:
 *
 *              started              turn ended
 *   queued ───────────▶ running ─────────────────▶ done | failed
 *     │                   │  ▲ process ended ────▶ failed
 *     │ cancel requested  │ cancel requested
 *     ▼                   ▼         turn ended by it, process ended
 *   cancelled        cancelling ─────────────────▶ cancelled
 *                         └──── turn ended well ──▶ done   (the request came too late)
 *
 *   A run that comes to a limit of its own is cancelling as well, and fails where it would be cancelled.
 *
 *   any of the three ── lost ──▶ interrupted;   any of the three ── refused ──▶ failed
 */
export type RunInput =
  /** It has left the queue. */
  | 'started'
  | 'cancel_requested'
  /** It has gone on for longer than it may. */
  | 'limit_reached'
  /** Claude Code's result for its turn. */
  | 'turn_done'
  | 'turn_failed'
  /** Its process is gone without a result. */
  | 'process_ended'
  /** muxd itself cannot go on with it: no Claude Code, a full disk. */
  | 'refused'
  /** The daemon was stopped or died. */
  | 'lost'

/**
 * The state after `input`; the same state where the input means nothing any more. `exceeded`: it is a limit that has
 * brought it to be cancelling, and not a request.
 */
export function nextRunState(state: RunState, input: RunInput, exceeded = false): RunState {
  const next = transitions[state][input] ?? state
  return next === 'cancelled' && exceeded ? 'failed' : next
}

/** Narrows to the states that nothing leaves; each is named like its terminal event. */
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
