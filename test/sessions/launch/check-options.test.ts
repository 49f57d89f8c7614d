import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ClaudeOptions } from '../../../protocol/index.ts'
import { createClaude } from '../../../daemon/agents/claude/agent.ts'
import { readConfig } from '../../../daemon/config.ts'
import { checkOptions } from '../../../daemon/sessions/launch/check-options.ts'
import { tempDir } from '../../support/temp-dir.ts'

const agent = createClaude({ bin: undefined, environment: {}, inherited: {} })

/** Creates `allowed/`, where sessions may run if `confined`, and `outside/`. One link in `allowed/` leads outside. */
function placesForTest({ confined = true, leave = false } = {}) {
  const root = tempDir()
  for (const name of ['allowed/project/sub', 'outside/sub']) mkdirSync(join(root, name), { recursive: true })
  symlinkSync(join(root, 'outside'), join(root, 'allowed/project/escape'))
  symlinkSync(join(root, 'allowed/project/sub'), join(root, 'allowed/project/alias'))
  for (const name of ['allowed/project/s.json', 'outside/s.json']) writeFileSync(join(root, name), '{}')
  const config = {
    ...readConfig(['--home', join(root, 'home')], {}),
    allowRoots: confined ? [join(root, 'allowed')] : [],
    allowBypassPermissions: leave,
  }
  const cwd = join(root, 'allowed/project')
  return { root, cwd, check: (options: ClaudeOptions) => checkOptions(agent, options, cwd, '/create/options', config) }
}

const refusal = (path: string) =>
  expect.objectContaining({
    kind: 'invalid_params',
    details: expect.objectContaining({ path: `/create/options${path}` }),
  })

describe('a session confined to allowRoots', () => {
  it('may name paths inside, relative to its directory, and gets the directories resolved', () => {
    const { cwd, check } = placesForTest()
    expect(check({ addDirs: ['sub', '.', join(cwd, 'alias')] })).toEqual({
      addDirs: [join(cwd, 'sub'), cwd, join(cwd, 'sub')],
    })
    const options = { mcpConfig: ['s.json', '{"mcpServers":{}}'], settings: join(cwd, 's.json') }
    expect(check(options)).toEqual(options)
    expect(check({ settings: '{"model":"x"}' })).toEqual({ settings: '{"model":"x"}' })
  })

  it.each<[string, (root: string) => ClaudeOptions, string]>([
    ['a directory outside', root => ({ addDirs: [join(root, 'outside')] }), '/addDirs/0'],
    ['a second directory outside', root => ({ addDirs: ['sub', join(root, 'outside')] }), '/addDirs/1'],
    ['a relative path that leads outside', () => ({ addDirs: ['../../outside'] }), '/addDirs/0'],
    ['a link that leads out', () => ({ addDirs: ['escape/sub'] }), '/addDirs/0'],
    ['a missing directory', () => ({ addDirs: ['later'] }), '/addDirs/0'],
    ['MCP servers outside', root => ({ mcpConfig: [join(root, 'outside/s.json')] }), '/mcpConfig/0'],
    ['MCP servers behind a link', () => ({ mcpConfig: ['{}', 'escape/s.json'] }), '/mcpConfig/1'],
    ['settings outside', root => ({ settings: join(root, 'outside/s.json') }), '/settings'],
    ['missing settings', () => ({ settings: 'later.json' }), '/settings'],
  ])('may not name %s', (_, options, path) => {
    const { root, check } = placesForTest()
    expect(() => check(options(root))).toThrow(refusal(path))
  })

  it('may name any path if allowRoots is empty', () => {
    const { root, check } = placesForTest({ confined: false })
    const options = {
      addDirs: [join(root, 'outside'), '../x'],
      settings: '../../outside/s.json',
      mcpConfig: ['/nowhere'],
    }
    expect(check(options)).toBe(options)
  })
})

describe('settings with bypassPermissions', () => {
  const bypass = '{"permissions":{"defaultMode":"bypassPermissions"}}'

  it('need allowBypassPermissions, inline and in a file', () => {
    for (const leave of [false, true]) {
      const { cwd, check } = placesForTest({ leave })
      writeFileSync(join(cwd, 'bypass.json'), bypass)
      for (const settings of [bypass, ` ${bypass}\n`, 'bypass.json', join(cwd, 'bypass.json')]) {
        if (leave) expect(check({ settings })).toEqual({ settings })
        else expect(() => check({ settings })).toThrow(expect.objectContaining({ kind: 'forbidden' }))
      }
    }
  })

  it.each(['{}', '{"permissions":null}', '{"permissions":{"defaultMode":"plan"}}', '[]', '5', 'null', 'no.json', '/'])(
    'are not found in %s',
    settings => expect(placesForTest({ confined: false }).check({ settings })).toEqual({ settings }),
  )

  it('are looked for without blocking on a FIFO or an endless device', () => {
    const { cwd, check } = placesForTest({ confined: false })
    execFileSync('mkfifo', [join(cwd, 'fifo')])
    for (const settings of ['fifo', '/dev/zero', '/dev/tty']) expect(check({ settings })).toEqual({ settings })
  })
})

describe('checkOptions', () => {
  it.each<[ClaudeOptions, string]>([
    [{ env: { MUXD_PROCESS: 'p_1' } }, '/env/MUXD_PROCESS'],
    [{ env: { A: '1', CLAUDECODE: '' } }, '/env/CLAUDECODE'],
    [{ env: { CLAUDE_CODE_SESSION_ID: 'x' } }, '/env/CLAUDE_CODE_SESSION_ID'],
    [{ env: { A: 'x\0y' } }, '/env/A'],
    [{ model: 'x\0' }, '/model'],
    [{ allowedTools: ['Read', '\0'] }, '/allowedTools/1'],
    [{ args: ['--x\0'] }, '/args/0'],
  ])('rejects %j with its path', (options, path) => {
    const { check } = placesForTest({ confined: false })
    expect(() => check(options)).toThrow(refusal(path))
  })

  it('accepts other environment variables', () => {
    const options = { env: { PATH: '/x', LD_PRELOAD: '/y', TMPDIR: '/z', CLAUDE_CONFIG_DIR: '/c', __proto__x: '1' } }
    expect(placesForTest().check(options)).toBe(options)
  })
})
