import type { FailureCode } from '../../../../protocol/index.ts'

export interface FailureText {
  /** What happened, in one line for people. */
  title: string
  /** What to do about it. */
  advice: string
  /** The same prompt may succeed later. */
  retryable: boolean
}

/** The texts of each failure code, used if nothing more specific is known. `docs/failures.md` has the same table. */
export const failureTexts: Record<FailureCode, FailureText> = {
  rate_limited: {
    title: 'The API refused more requests for now',
    advice: 'Wait a minute and run it again',
    retryable: true,
  },
  overloaded: {
    title: 'The API is overloaded or failing',
    advice: 'Run it again in a while',
    retryable: true,
  },
  usage_limit: {
    title: "The plan's usage limit is reached",
    advice: 'Wait until it is reset, or change the plan',
    retryable: true,
  },
  billing: {
    title: 'The account cannot pay for the request',
    advice: 'Check its credit and billing',
    retryable: false,
  },
  auth: {
    title: 'Claude Code is not signed in',
    advice: 'Run `claude` and /login, or check the API key',
    retryable: false,
  },
  context_exceeded: {
    title: 'The conversation is too long for the model',
    advice: 'Start a new session',
    retryable: false,
  },
  max_turns: {
    title: 'The limit of turns is reached',
    advice: 'Raise maxTurns, or go on with another prompt',
    retryable: false,
  },
  max_budget: {
    title: 'The budget is used up',
    advice: 'Raise maxBudgetUsd',
    retryable: false,
  },
  timed_out: {
    title: 'The run took longer than it was given',
    advice: 'Give it more time (timeoutMs), or less to do',
    retryable: false,
  },
  inactive: {
    title: 'Claude Code printed nothing for as long as it may',
    advice: 'Run it again, or give it a longer inactivityMs',
    retryable: true,
  },
  refused: {
    title: 'The model refused the request',
    advice: 'Rephrase it',
    retryable: false,
  },
  hook_blocked: {
    title: 'A hook refused the prompt',
    advice: 'See the detail, which has the words of the hook',
    retryable: false,
  },
  invalid_request: {
    title: 'The API did not accept the request',
    advice: 'See the detail, which says what it did not accept',
    retryable: false,
  },
  model_not_found: {
    title: 'The model does not exist or is not open to this account',
    advice: 'Choose another model',
    retryable: false,
  },
  network: {
    title: 'The API could not be reached',
    advice: 'Check the network and the proxy, then run it again',
    retryable: true,
  },
  crashed: {
    title: 'Claude Code ended before it had finished',
    advice: 'Run it again',
    retryable: true,
  },
  killed: {
    title: 'Claude Code was killed from outside',
    advice: 'Run it again',
    retryable: true,
  },
  hung: {
    title: 'Claude Code did not answer any more and was ended',
    advice: 'Run it again',
    retryable: true,
  },
  no_output: {
    title: 'Claude Code ended without printing anything',
    advice: 'Try `claude` in a terminal, in the same directory',
    retryable: true,
  },
  spawn_failed: {
    title: 'Claude Code could not be started',
    advice: 'Check the installation with `muxd doctor`',
    retryable: false,
  },
  resume_failed: {
    title: 'Claude Code does not know this conversation any more',
    advice: 'Give it up with `muxd set SESSION --anew`, or start a new session',
    retryable: false,
  },
  in_use: {
    title: 'Another process has this conversation open',
    advice: 'End it there first, or fork the session',
    retryable: true,
  },
  rules_refused: {
    title: "Claude Code did not take the session's permission rules",
    advice: 'See the detail; update Claude Code, or change the rules',
    retryable: false,
  },
  disk_full: {
    title: 'There is no space left on the disk',
    advice: 'Free some, then run it again',
    retryable: true,
  },
  internal: {
    title: 'muxd failed to process what Claude Code printed',
    advice: 'Run it again, and report what `muxd logs` says about it',
    retryable: true,
  },
  unknown: {
    title: 'The run failed, and no known reason fits',
    advice: 'See the detail',
    retryable: false,
  },
}
