import type { Failure } from '../../protocol/index.ts'
import type { ClaudeProcess } from '../agents/claude/claude-process.ts'
import { permissionsLine } from '../agents/claude/control.ts'
import { parsePermissionRules, permissionSettings } from '../agents/claude/permission-rules.ts'
import type { Conversation } from './conversation.ts'
import { rulesFailure } from './own-failures.ts'
import type { Answer } from '../agents/agent.ts'
import { type Requests, rulesRequest } from './requests.ts'

/**
 * Keeps a process's permission rules equal to the session's. Claude Code enforces them; each request replaces the whole
 * set. A daemon that takes a process over does not know whether the last set arrived, so it sends the stored one again
 * before its next prompt.
 */
export interface SessionRules {
  /** Called before each prompt: resolves with a failure when Claude Code does not have the session's rules. */
  ready(claude: ClaudeProcess): Promise<Failure | undefined>
  /**
   * Gives the process other rules. Resolves with its answer, or undefined when there is nothing to ask or the process
   * has ended. Prompts wait until `changed`. Throws `Unanswered`.
   */
  replace(claude: ClaudeProcess, rules: readonly string[]): Promise<Answer | undefined>
  /** The change is over. `stored`: the session has the rules that the process was given last. */
  changed(stored: boolean): void
  /** An answer that nobody waits for: an earlier daemon sent rules that the session may not have. */
  unclaimed(answer: Answer, claude: ClaudeProcess): void
}

/** `live` is the process that is there. */
export function createSessionRules(
  conversation: Conversation,
  requests: Requests,
  live: () => ClaudeProcess | undefined,
): SessionRules {
  // Ids of processes: which one has the session's rules, and which ones were sent any.
  let heldBy: string | undefined
  let sentTo: string | undefined
  let applying: { process: string; failure: Promise<Failure | undefined> } | undefined
  let change: { claude: ClaudeProcess; over: Promise<void>; end(): void } | undefined

  const mayHoldRules = (claude: ClaudeProcess) => sentTo === claude.id || conversation.wasGivenRules

  function send(claude: ClaudeProcess, rules: readonly string[]): Promise<Answer | undefined> {
    const settings = permissionSettings(parsePermissionRules(rules, conversation.record.cwd))
    sentTo = claude.id
    return requests.make(claude, id => permissionsLine(id, settings), rulesRequest)
  }

  async function apply(claude: ClaudeProcess): Promise<Failure | undefined> {
    const { rules = [] } = conversation.record.approvals ?? {}
    if (rules.length === 0 && !mayHoldRules(claude)) return undefined
    try {
      const answer = await send(claude, rules)
      if (answer && !answer.ok) return rulesFailure(answer.error)
      // Without an answer the process has ended, which ends its run.
      if (answer) heldBy = claude.id
      return undefined
    } catch (error) {
      return rulesFailure((error as Error).message)
    }
  }

  async function ready(claude: ClaudeProcess): Promise<Failure | undefined> {
    while (change) await change.over
    // One that has ended answers nothing.
    if (heldBy === claude.id || live() !== claude) return undefined
    if (applying?.process !== claude.id) applying = { process: claude.id, failure: apply(claude) }
    const mine = applying
    const failure = await mine.failure
    if (applying === mine) applying = undefined
    return failure
  }

  return {
    ready,

    async replace(claude, rules) {
      await applying?.failure
      if (!change) {
        let end = () => {}
        const over = new Promise<void>(resolve => (end = resolve))
        change = { claude, over, end }
      }
      heldBy = undefined
      if (rules.length === 0 && !mayHoldRules(claude)) return undefined
      return send(claude, rules)
    },

    changed(stored) {
      if (!change) return
      const { claude, end } = change
      change = undefined
      if (stored) heldBy = claude.id
      end()
      // What was refused, unanswered or not stored has changed nothing.
      if (!stored) void ready(claude)
    },

    unclaimed({ requestId }, claude) {
      if (!requestId.startsWith(rulesRequest) || change) return
      heldBy = undefined
      void ready(claude)
    },
  }
}
