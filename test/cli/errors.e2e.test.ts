import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startTestDaemon, tempHome } from '../support/daemon.ts'
import { jsonLines, muxd } from './muxd.ts'

describe('with --json an error is one JSON line on standard error', () => {
  it.each([
    ['an unknown option', ['ls', '--json', '--nonsense'], 2, 'usage'],
    ['an unknown command', ['--json', 'nonsense'], 2, 'usage'],
    ['an invalid value', ['ls', '--json', '-n', 'many'], 2, 'usage'],
    ['a missing argument', ['attach', '--json'], 2, 'usage'],
    ['options that exclude each other', ['cancel', 'r_1', '--json', '--kill', '--terminate'], 2, 'usage'],
    ['a wrong URL', ['ls', '--json', '--url', 'nowhere'], 2, 'usage'],
    ['no daemon', ['ls', '--json', '--no-start', '--home', '/nonexistent'], 3, 'unavailable'],
    ['a daemon that cannot be reached', ['ls', '--json', '--url', 'ws://127.0.0.1:1/ws'], 3, 'unavailable'],
  ])('%s', async (_, argv, code, kind) => {
    const ended = await muxd(argv).ended
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(jsonLines(ended.stderr)).toMatchObject([
      { error: { message: expect.any(String) as string, data: { kind } } },
    ])
  })

  it('a rejected parameter', async () => {
    const { home } = await startTestDaemon()
    const { code, stderr } = await muxd(['run', 'x', '--json', '-C', '/nonexistent', '--home', home]).ended
    expect(code).toBe(2)
    expect(jsonLines(stderr)).toMatchObject([
      { error: { code: -32602, data: { kind: 'invalid_params', path: '/create/cwd' } } },
    ])
  })
})

it('a refused connection is reported as one, with exit code 3', async () => {
  const { code, stderr } = await muxd(['ls', '--url', 'ws://127.0.0.1:1/ws']).ended
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: 'muxd: ws://127.0.0.1:1/ws: connection refused: no daemon listens there\n',
  })
})

it('doctor fails when the configuration would prevent a daemon from starting', async () => {
  const home = tempHome()
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(home, 'config.json'), '{"port":"high"}')
  const { code, stdout } = await muxd(['doctor', '--json', '--home', home]).ended
  expect(code).toBe(3)
  const [{ checks }] = jsonLines(stdout) as [{ checks: { name: string; ok: boolean; detail: string }[] }]
  expect(checks.find(({ name }) => name === 'config')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('port is "high"') as string,
  })
})
