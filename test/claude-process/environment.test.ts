import { describe, expect, it } from 'vitest'
import { claudeEnvironment, isReserved } from '../../daemon/agents/claude/launch/environment.ts'
import { inheritable } from '../../daemon/inherited-environment.ts'

const daemon = {
  PATH: '/bin',
  HOME: '/home/me',
  ANTHROPIC_API_KEY: 'k',
  ANTHROPIC: 'exactly',
  AWS_SECRET_ACCESS_KEY: 's',
  MUXD_SIMULATOR_SPEED: '9',
  MUXD_TOKEN: 'secret',
  CLAUDE_CODE_MESSAGING_TOKEN: 'secret',
}

describe('the environment that Claude Code inherits', () => {
  it('is the whole environment without a list', () => {
    expect(inheritable(daemon, undefined)).toBe(daemon)
  })

  it.each([
    [[], []],
    [
      ['PATH', 'ANTHROPIC_*'],
      ['PATH', 'ANTHROPIC_API_KEY'],
    ],
    [['ANTHROPIC*'], ['ANTHROPIC_API_KEY', 'ANTHROPIC']],
    [['*'], ['PATH', 'HOME', 'ANTHROPIC_API_KEY', 'ANTHROPIC', 'AWS_SECRET_ACCESS_KEY']],
    [['PAT', 'path', 'MUXD_*', 'CLAUDE_CODE_*'], []],
  ])('has the allowed variables %j and those of the simulator', (allow, names) => {
    const environment = claudeEnvironment(inheritable(daemon, allow), undefined, '/tmp/own')
    const always = ['TERM', 'NO_COLOR', 'CLAUDECODE', 'TMPDIR', 'MUXD_SIMULATOR_SPEED']
    expect(Object.keys(environment).toSorted()).toEqual([...always, ...names].toSorted())
  })
})

it.each([
  ['MUXD_PROCESS', true],
  ['MUXD_ANYTHING', true],
  ['CLAUDECODE', true],
  ['CLAUDE_CODE_SESSION_ID', true],
  ['CLAUDE_CODE_MESSAGING_SOCKET', true],
  ['CLAUDE_PID', true],
  ['MUXD_SIMULATOR_SPEED', false],
  ['CLAUDE_CONFIG_DIR', false],
  ['CLAUDE_CODE_USE_BEDROCK', false],
  ['LD_PRELOAD', false],
  ['PATH', false],
])('the name %s is reserved: %s', (name, reserved) => expect(isReserved(name)).toBe(reserved))
