import type { Actor, Approval, EventOf, Gap, Origin, Run, TerminalEvent } from '../../../sdk/browser.ts'
import { turnEnd } from '../../../text/turn-end.ts'
import { bytes, count, duration, usd } from '../../parts/format.ts'
import type { Resolved } from './items.ts'

/** The name of an actor: a client, a policy, or Claude Code itself. */
export const nameOf = (who: Origin | NonNullable<Approval['by']>): string =>
  'background' in who ? `background (${who.background.kind})` : 'policy' in who ? who.policy : who.name

const byWhom = (who: Approval['by']) => (who ? ('policy' in who ? ` (${who.policy})` : ` by ${nameOf(who)}`) : '')
const because = (reason: string | undefined) => (reason ? `: ${reason}` : '')

export function ended(event: TerminalEvent): string {
  switch (event.type) {
    case 'done':
      return `Done${because(turnEnd(event.terminalReason))}`
    case 'failed':
      return `Failed: ${event.failure.title}`
    case 'cancelled':
      return `Cancelled${byWhom(event.by)}${because(event.reason)}`
    case 'interrupted':
      return `Interrupted: ${event.reason}`
  }
}

export const asked = ({ kind, tool }: EventOf<'approval_requested'>): string =>
  kind === 'question'
    ? 'Claude asks a question'
    : kind === 'plan'
      ? 'Claude has a plan to approve'
      : `${tool} needs permission`

const decisions = { allow: 'Allowed', deny: 'Denied', expired: 'Nobody answered in time', withdrawn: 'No longer asked' }
export const answered = ({ decision, by, message, isRemembered }: Resolved): string =>
  `${decisions[decision]}${byWhom(by)}${isRemembered ? ', from now on always' : ''}${because(message)}`

const modes = { interrupt: 'cancel', terminate: 'end the process', kill: 'kill the process' }
export const cancelRequested = ({
  by,
  reason,
  mode,
}: {
  by: Actor
  reason?: string
  mode: keyof typeof modes
}): string => `${by.name} asked to ${modes[mode]}${because(reason)}`

const limitNames = { timeoutMs: 'The run has gone on for', inactivityMs: 'Claude Code has printed nothing for' }
export const limitReached = ({ limit, value }: EventOf<'limit_reached'>): string =>
  `${limitNames[limit]} ${duration(value)}, the run’s limit: it is ended`

/** The time and cost limits of a run; empty if it has none. */
export function limits({
  limits: { timeoutMs, inactivityMs, maxTurns, maxBudgetUsd } = {},
}: Pick<Run, 'limits'>): string {
  const words = [
    timeoutMs !== undefined && duration(timeoutMs),
    inactivityMs !== undefined && `${duration(inactivityMs)} of silence`,
    maxTurns !== undefined && `${maxTurns} ${maxTurns === 1 ? 'turn' : 'turns'}`,
    maxBudgetUsd !== undefined && usd(maxBudgetUsd),
  ].filter(word => word !== false)
  return words.length ? `at most ${words.join(', ')}` : ''
}

const waits = { session: 'its turn', slot: 'a free slot', memory: 'free memory', background: 'background work' }
/** The reason that a queued run waits. */
export const waiting = ({ waitingFor = 'session' }: Pick<Run, 'waitingFor'>): string => `waits for ${waits[waitingFor]}`

const steps = {
  interrupt: 'its turn is interrupted',
  sigint: 'its process is interrupted',
  terminate: 'its process is asked to end',
  kill: 'its process is killed',
}
export const escalated = ({ step }: EventOf<'cancel_escalated'>): string =>
  `The run did not end in time: ${steps[step]}`

export const forked = ({ by, from }: EventOf<'session_forked'>): string =>
  `${by.name} forked this session from ${from.session}, which has what was said before`

export const imported = ({ by }: EventOf<'session_imported'>): string =>
  `${by.name} took up a conversation that was begun elsewhere; what was said there is not shown here`

export function updated({ by, changes }: EventOf<'session_updated'>): string {
  const { title, labels, model, permissionMode, approvals, claudeSessionId } = changes
  const deeds = [
    title === undefined ? undefined : title ? `named the session “${title}”` : 'removed the title',
    labels && labelling(labels),
    model === undefined ? undefined : `chose the model ${model}`,
    permissionMode === undefined ? undefined : `chose the permission mode ${permissionMode}`,
    approvals && 'changed what becomes of questions',
    claudeSessionId === null ? 'let the conversation begin anew' : undefined,
  ]
  return `${by.name} ${deeds.filter(deed => deed !== undefined).join(', ')}`
}

function labelling(labels: Record<string, string>): string {
  const words = Object.entries(labels).map(([name, value]) => (value ? `${name}=${value}` : name))
  return words.length ? `set the labels ${words.join(', ')}` : 'removed the labels'
}

export const stopped = (reason: string): string =>
  reason === 'refusal' ? 'The model refused to go on' : 'The answer reached its greatest length'

export const modeChanged = (mode: string): string => `Permission mode is now ${mode}`

export function compacted({ trigger, preTokens, postTokens }: EventOf<'compaction'>): string {
  const sizes =
    preTokens === undefined
      ? ''
      : postTokens === undefined
        ? `, from ${count(preTokens)} tokens`
        : `, ${count(preTokens)} to ${count(postTokens)} tokens`
  return `Conversation compacted (${trigger}${sizes})`
}

export function rateLimit({ status, limitType, resetsAt }: EventOf<'rate_limit'>): string {
  const which = limitType?.replaceAll('_', ' ') ?? 'rate'
  const until = resetsAt === undefined ? '' : `, resets ${new Date(resetsAt).toLocaleString()}`
  return status === 'rejected' ? `The ${which} limit is reached${until}` : `Close to the ${which} limit${until}`
}

export const retry = ({ attempt, maxRetries, delayMs, status, error }: EventOf<'api_retry'>): string =>
  `The API refused (${[status, error].filter(Boolean).join(' ')}); attempt ${attempt} of ${maxRetries} in ${duration(delayMs)}`

export const conversationChanged = ({ reason }: EventOf<'claude_session_changed'>): string =>
  reason === 'clear'
    ? 'Conversation cleared: Claude has forgotten what is above'
    : `Claude Code goes on in another conversation (${reason})`

export const hook = ({ name, outcome }: EventOf<'hook'>): string => `Hook ${name}${outcome ? `: ${outcome}` : ''}`

export function task({ phase, status, summary, description }: EventOf<'task'>, known: string | undefined): string {
  const what = summary ?? description ?? known ?? ''
  return `Background task ${status ?? (phase === 'ended' ? 'ended' : 'running')}${what ? `: ${what}` : ''}`
}

const maxLineLength = 160

/** Returns the first line of a text, cut after 160 characters. */
export const firstLine = (text: string): string => {
  const [first = ''] = text.trim().split('\n')
  return first.length > maxLineLength ? `${first.slice(0, maxLineLength)}…` : first
}

/** Whether the text has more than its first line. */
export const isLong = (text: string): boolean => firstLine(text) !== text.trim()

export const thinkingProgress = ({ estimatedTokens }: EventOf<'thinking_progress'>): string =>
  `Thinking: about ${estimatedTokens} tokens`

export const notice = (kind: string): string => `Claude Code: ${kind.replace(/^system\//, '').replaceAll('_', ' ')}`

const working = /^(system\/(background_tasks_changed|thinking_tokens|files_persisted)|command_lifecycle|stream_event)\b/
export const isWorking = (kind: string): boolean => working.test(kind)

export const unparsed = ({ reason, bytes: size }: EventOf<'unparsed'>): string =>
  `Claude Code printed ${bytes(size)} that are no frame (${reason})`

export const damaged = ({ log, bytes: size, detail }: EventOf<'log_damaged'>): string =>
  `The log is damaged here: ${bytes(size)} of ${log === 'raw' ? 'output' : 'events'} (${detail})`

export function gap({ reason, from, to }: Gap): string {
  switch (reason) {
    case 'trimmed':
      return `Events ${from + 1} to ${to} are no longer kept`
    case 'epoch_changed':
      return 'The log was begun anew after the machine went down: the last of what stood here may be missing'
    case 'ahead_of_log':
      return 'The daemon has lost the last of what stood here'
  }
}
