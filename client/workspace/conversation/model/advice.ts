import type { Failure } from '../../../sdk/browser.ts'

/** An action that the page offers for a failed run. */
export type Remedy = 'run_again' | 'continue' | 'edit' | 'new_session' | 'choose_model' | 'begin_anew' | 'fork'

export interface Advice {
  text: string
  remedy: Remedy
}

export const remedyNames: Record<Remedy, string> = {
  run_again: 'Run again',
  continue: 'Continue',
  edit: 'Edit the prompt',
  new_session: 'New session with this prompt',
  choose_model: 'Choose a model',
  begin_anew: 'Begin anew',
  fork: 'Fork this session',
}

const byCode: Partial<Record<string, Advice>> = {
  rate_limited: { text: 'Wait a minute, then run it again.', remedy: 'run_again' },
  overloaded: { text: 'Run it again in a while.', remedy: 'run_again' },
  usage_limit: { text: 'Wait until the limit is reset, or change the plan.', remedy: 'run_again' },
  billing: { text: 'Check the credit and the billing of the account.', remedy: 'run_again' },
  auth: { text: 'Start Claude Code in a terminal and sign in with /login, or check the API key.', remedy: 'run_again' },
  context_exceeded: { text: 'The conversation is full: start a new session.', remedy: 'new_session' },
  max_turns: { text: 'It reached the run’s limit of turns. Let it continue.', remedy: 'continue' },
  max_budget: { text: 'It reached the run’s limit of cost. Let it continue with a new budget.', remedy: 'continue' },
  timed_out: { text: 'Let it continue, with more time or less to do.', remedy: 'continue' },
  inactive: { text: 'Run it again, or allow a longer silence.', remedy: 'run_again' },
  refused: { text: 'Rephrase the prompt.', remedy: 'edit' },
  invalid_request: { text: 'The detail says what was not accepted.', remedy: 'edit' },
  model_not_found: { text: 'Choose another model.', remedy: 'choose_model' },
  network: { text: 'Check the network and the proxy, then run it again.', remedy: 'run_again' },
  no_output: {
    text: 'Start Claude Code in a terminal, in the same directory, to see what it says.',
    remedy: 'run_again',
  },
  spawn_failed: { text: 'Check the installation: muxd doctor says what is missing.', remedy: 'run_again' },
  resume_failed: { text: 'Give the conversation up and begin anew, or start a new session.', remedy: 'begin_anew' },
  in_use: { text: 'End it there first, or fork this session.', remedy: 'fork' },
  disk_full: { text: 'Free some space, then run it again.', remedy: 'run_again' },
}

/** Matches advice for the command line or the API: a command, an option or the name of a parameter. */
const forPrograms = /`|\b[a-z]+[A-Z]\w*|--\w/

/** Returns advice for the user of the page: the daemon's own text unless it matches `forPrograms`. */
export function adviceFor({ code, advice }: Pick<Failure, 'code' | 'advice'>): Advice {
  const known = byCode[code] ?? { text: 'See the detail, then run it again.', remedy: 'run_again' }
  return advice === undefined || forPrograms.test(advice) ? known : { ...known, text: sentence(advice) }
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)
