import { describe, expect, it } from 'vitest'
import { commandLine } from '../../daemon/agents/claude/launch/command-line.ts'
import {
  initializeLine,
  interruptLine,
  permissionLine,
  unsupportedLine,
  userLine,
} from '../../daemon/agents/claude/control.ts'
import { claudeEnvironment } from '../../daemon/agents/claude/launch/environment.ts'

const id = '11111111-1111-4111-8111-111111111111'

describe('the command line of Claude Code', () => {
  it('starts a conversation with a given session id', () => {
    expect(commandLine({ path: '/c', conversation: { start: id }, options: {} })).toEqual(
      `/c -p --input-format stream-json --output-format stream-json --verbose --include-partial-messages --permission-prompt-tool stdio --session-id ${id}`.split(
        ' ',
      ),
    )
  })

  it('resumes a conversation', () => {
    expect(commandLine({ path: '/c', conversation: { resume: id }, options: {} }).slice(-2)).toEqual(['--resume', id])
  })

  it('forks a conversation at a message', () => {
    const conversation = { fork: id, of: 'the source', at: 'a message' }
    expect(commandLine({ path: '/c', conversation, options: {} }).slice(10)).toEqual([
      '--resume',
      'the source',
      '--fork-session',
      '--session-id',
      id,
      '--resume-session-at',
      'a message',
    ])
  })

  it('gives every option as one word, so that no value is taken for an option', () => {
    const options = {
      model: 'opus',
      permissionMode: 'plan',
      allowedTools: ['Read', 'Bash(git status*)'],
      disallowedTools: ['WebFetch'],
      appendSystemPromptFile: '/d/prompt.txt',
      maxTurns: 3,
      maxBudgetUsd: 0.5,
      addDirs: ['/a', '/b'],
      mcpConfig: ['{}'],
      settings: '/s.json',
      args: ['--effort', 'high'],
    }
    expect(commandLine({ path: '/c', conversation: { start: id }, options }).slice(12)).toEqual([
      '--model=opus',
      '--permission-mode=plan',
      '--allowedTools=Read',
      '--allowedTools=Bash(git status*)',
      '--disallowedTools=WebFetch',
      '--append-system-prompt-file=/d/prompt.txt',
      '--max-turns=3',
      '--max-budget-usd=0.5',
      '--add-dir=/a',
      '--add-dir=/b',
      '--mcp-config={}',
      '--settings=/s.json',
      '--effort',
      'high',
    ])
  })
})

describe('the lines to Claude Code', () => {
  it('contain no newline, whatever text they carry', () => {
    const prompt = 'two\nlines\u2028and more'
    for (const line of [
      userLine(id, prompt),
      initializeLine('i'),
      interruptLine('i'),
      permissionLine('d', { behavior: 'deny', message: prompt }, {}),
      unsupportedLine('u', 'x'),
    ]) {
      expect(line).not.toContain('\n')
      expect(JSON.parse(line)).toBeTypeOf('object')
    }
    expect(JSON.parse(userLine(id, prompt))).toMatchObject({ uuid: id, message: { content: [{ text: prompt }] } })
  })
})

describe('the environment of Claude Code', () => {
  it('omits variables of muxd and of an outer Claude Code, and adds those of the session', () => {
    const daemon = {
      PATH: '/bin',
      ANTHROPIC_API_KEY: 'k',
      CLAUDE_CODE_USE_BEDROCK: '1',
      MUXD_TOKEN: 'secret',
      MUXD_SIMULATOR_SPEED: '9',
      CLAUDECODE: '1',
      CLAUDE_CODE_SESSION_ID: 'outer',
      CLAUDE_CODE_ENTRYPOINT: 'cli',
      TERM: 'screen',
      COLUMNS: '80',
    }
    expect(claudeEnvironment(daemon, { EXTRA: 'x', PATH: '/session' }, '/tmp/own')).toEqual({
      PATH: '/session',
      ANTHROPIC_API_KEY: 'k',
      CLAUDE_CODE_USE_BEDROCK: '1',
      MUXD_SIMULATOR_SPEED: '9',
      CLAUDECODE: '',
      TERM: 'screen',
      NO_COLOR: '1',
      TMPDIR: '/tmp/own',
      EXTRA: 'x',
    })
  })
})
