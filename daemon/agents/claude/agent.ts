import type { FailureCode } from '../../../protocol/index.ts'
import { permissionModes } from '../../../protocol/wire.ts'
import type { Agent, AgentCodec, Exit, Launch, LineContent, LaunchRequest, LaunchSpec } from '../agent.ts'
import { noBackgroundTasks } from './facts/background-tasks.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { checkOptions } from './launch/check-options.ts'
import { commandLine } from './launch/command-line.ts'
import { decode } from './decode.ts'
import { encode } from './encode.ts'
import { claudeEnvironment } from './launch/environment.ts'
import { classifyExit, endedWithoutResult, failureOf } from './facts/failure.ts'
import { decodeLine, isFrame, notDecodable } from './frame/frame.ts'
import { createClaudeLocator } from './launch/locate.ts'
import { listOpenConversations } from './conversations/open-conversations.ts'
import { optionFiles } from './launch/option-files.ts'
import { forThisSession } from './facts/permission-request.ts'
import {
  BadPermissionRule,
  parsePermissionRules,
  type PermissionRule,
  ruleNaming,
} from './permissions/permission-rules.ts'
import { holdsLimits, withLimits } from './launch/process-limits.ts'
import { configDirectory, findTranscript, listTranscripts, readEnd } from './conversations/transcripts.ts'
import { outcomeOf } from './translate/result.ts'
import { createTranslatorState, forgetTurn } from './translate/state.ts'

export interface ClaudeConfig {
  /** The configured path or name of the executable. */
  bin: string | undefined
  /** The daemon's own environment, in which the executable is looked up. */
  environment: NodeJS.ProcessEnv
  /** The environment that processes inherit. */
  inherited: NodeJS.ProcessEnv
}

/** Claude Code. */
export const createClaude = ({ bin, environment, inherited }: ClaudeConfig): Agent => ({
  ...claude,
  locate: createClaudeLocator(bin, environment, inherited),
  launchSpec({ path, conversation, options: given, limits, directory, tmpDir }: LaunchRequest): LaunchSpec {
    const { options, files } = optionFiles(withLimits(given, limits), directory)
    return {
      command: commandLine({ path, conversation, options }),
      env: claudeEnvironment(inherited, given.env, tmpDir),
      files,
    }
  },
  permissionModes,
  checkOptions,
  conversations: {
    directory: env => configDirectory({ ...inherited, ...env }),
    find: findTranscript,
    readEnd,
    list: listTranscripts,
    listOpen: listOpenConversations,
  },
})

/** The pure half of Claude Code. */
export const claude = {
  kind: 'claude',
  decoderVersion: 1,
  parse,
  isFrame,
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
  // Claude Code counts money from the start of its process.
  servesOneRun: limits => limits?.maxBudgetUsd !== undefined,
  badRule(rules, cwd) {
    const index = read(rules, cwd).findIndex(rule => rule instanceof BadPermissionRule)
    return index < 0 ? undefined : { index, problem: (read(rules, cwd)[index] as BadPermissionRule).message }
  },
  denyingRule(rules, cwd, tool) {
    const valid = read(rules, cwd).filter(rule => 'text' in rule)
    return ruleNaming(valid, 'deny', tool)?.text
  },
  permissionsToRemember: forThisSession,
  needsNewProcess: ({ errorCode }) => errorCode === 'bypass_not_launched',
} satisfies AgentCodec

function parse(line: Buffer): LineContent[] {
  try {
    return decodeLine(line)
  } catch {
    return [notDecodable(line.length)]
  }
}

/** The parsed rules of each list. A session passes the same list for each question until its rules change. */
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
