import type { FailureCode } from '../../../protocol/index.ts'
import type { Agent, Exit, Launch } from '../agent.ts'
import { noBackgroundTasks } from './background-tasks.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { classifyExit, endedWithoutResult, failureOf } from './failure.ts'
import { BadPermissionRule, parsePermissionRules, type PermissionRule, ruleNaming } from './permission-rules.ts'
import { holdsLimits } from './process-limits.ts'
import { outcomeOf } from './translate/result.ts'
import { createTranslatorState, forgetTurn } from './translate/state.ts'

/** Claude Code as an `Agent`. */
export const claude = {
  kind: 'claude',
  decoderVersion: 1,
  begin: (launch: Launch): ClaudeDecoder => ({ translator: createTranslatorState(launch), tasks: noBackgroundTasks }),
  decode,
  said: ({ translator }: ClaudeDecoder) => outcomeOf(translator.turn),
  forgetTurn: ({ translator }: ClaudeDecoder) => forgetTurn(translator),
  exitFailure: ({ translator: { apiError, rateLimit } }: ClaudeDecoder, exit: Exit) =>
    classifyExit({ ...exit, apiError, rateLimit }),
  counterUsd: ({ translator }: ClaudeDecoder) => translator.cost.counterUsd,
  encode,
  failure: (code: FailureCode, detail: string) => failureOf({ code }, detail),
  endedWithoutResult,
  holdsLimits,
  // Claude Code counts money from the start of its process on.
  servesOneRun: limits => limits?.maxBudgetUsd !== undefined,
  problemOfRules(rules, cwd) {
    const problem = read(rules, cwd).find(rule => rule instanceof BadPermissionRule)
    return problem?.message
  },
  denyingRule(rules, cwd, tool) {
    const valid = read(rules, cwd).filter(rule => 'text' in rule)
    return ruleNaming(valid, 'deny', tool)?.text
  },
  needsNewProcess: ({ errorCode }) => errorCode === 'bypass_not_launched',
} satisfies Agent

/** A list of rules is read once: a session asks for each question, and keeps the same list until its rules change. */
const known = new WeakMap<readonly string[], (PermissionRule | BadPermissionRule)[]>()

function read(rules: readonly string[], cwd: string): (PermissionRule | BadPermissionRule)[] {
  const before = known.get(rules)
  if (before) return before
  const found = rules.map((_, index) => readRule(rules, index, cwd))
  known.set(rules, found)
  return found
}

function readRule(rules: readonly string[], index: number, cwd: string): PermissionRule | BadPermissionRule {
  try {
    return parsePermissionRules([rules[index]!], cwd)[0]!
  } catch (error) {
    if (error instanceof BadPermissionRule) return error
    throw error
  }
}
