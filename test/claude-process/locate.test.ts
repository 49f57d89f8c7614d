import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentUnavailable } from '../../daemon/agents/agent.ts'
import { createClaudeLocator } from '../../daemon/agents/claude/launch/locate.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'muxd-locate-'))))
afterEach(() => rmSync(directory, { recursive: true }))

function executable(name: string, script: string): string {
  const path = join(directory, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
const locate = (configured: string | undefined, path = '') =>
  createClaudeLocator(configured, { PATH: `${path}:/usr/bin:/bin` })()

describe('finding Claude Code', () => {
  it('returns the configured path with its version', async () => {
    const path = executable('claude', 'echo "2.1.329 (Claude Code)"')
    await expect(locate(path)).resolves.toEqual({ path, version: '2.1.329 (Claude Code)' })
  })

  it('takes the first usable executable on PATH', async () => {
    executable('a/claude', 'echo "1.0.128 (Claude Code)"')
    const path = executable('b/claude', 'echo "2.0.1 (Claude Code)"')
    await expect(locate(undefined, `${directory}/a:${directory}/b`)).resolves.toMatchObject({ path })
  })

  it('ignores relative entries of PATH, whose content may be untrusted', async () => {
    executable('claude', `echo ran >${directory}/ran; echo "2.0.1 (Claude Code)"`)
    const here = relative(process.cwd(), directory)
    await locate(undefined, `:.:${here}:./${here}`).catch(() => undefined)
    expect(existsSync(join(directory, 'ran'))).toBe(false)
  })

  it('accepts a stand-in, which its version names', async () => {
    const path = executable('claude', 'echo "2.1.329 (Claude Code stand-in: muxd simulator)"')
    await expect(locate(path)).resolves.toMatchObject({ version: expect.stringContaining('simulator') })
  })

  it('answers simultaneous calls in their order', async () => {
    const find = createClaudeLocator(executable('claude', 'echo "2.1.0 (Claude Code)"'), { PATH: '/usr/bin:/bin' })
    const order: number[] = []
    await Promise.all(Array.from({ length: 50 }, (_value, index) => find().then(() => order.push(index))))
    await Promise.all(Array.from({ length: 50 }, (_value, index) => find().then(() => order.push(50 + index))))
    expect(order).toEqual(Array.from({ length: 100 }, (_value, index) => index))
  })

  it('reads the version again when the file has changed, and not before', async () => {
    const path = executable('claude', `echo asked >> ${directory}/asked; echo "2.1.0 (Claude Code)"`)
    const find = createClaudeLocator(path, { PATH: '/usr/bin:/bin' })
    await find()
    await find()
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toBe('asked\n')
    executable('claude', 'echo "2.2.0 (Claude Code), changed" | cut -c1-19')
    await expect(find()).resolves.toMatchObject({ version: '2.2.0 (Claude Code)' })
  })

  it.each([
    ['is missing', undefined, /does not exist/],
    ['is not Claude Code', 'echo "git version 2.39.5"', /is no Claude Code .*git version/],
    ['is too old', 'echo "1.0.128 (Claude Code)"', /is too old .*2\.0\.0 or newer/],
    ['fails', 'echo broken >&2; exit 1', /--version failed/],
  ])(
    'fails when the executable %s, and names the tried path and the install command',
    async (_title, script, message) => {
      const path = script === undefined ? join(directory, 'claude') : executable('claude', script)
      const error: unknown = await locate(path).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(AgentUnavailable)
      expect((error as AgentUnavailable).message).toMatch(message)
      expect((error as AgentUnavailable).message).toMatch('npm install -g @anthropic-ai/claude-code')
      expect((error as AgentUnavailable).tried).toEqual([expect.stringContaining(path)])
    },
  )

  it('fails when the file is not executable', async () => {
    const path = executable('claude', 'echo "2.1.0 (Claude Code)"')
    chmodSync(path, 0o644)
    await expect(locate(path)).rejects.toThrow(/may not be executed/)
  })

  it('names the path that it tried on PATH if there is no executable', async () => {
    const error: unknown = await createClaudeLocator('no-such-claude', { PATH: directory })().catch(
      (reason: unknown) => reason,
    )
    expect((error as AgentUnavailable).tried[0]).toContain(join(directory, 'no-such-claude'))
  })
})
