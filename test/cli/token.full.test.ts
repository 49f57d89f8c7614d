import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DaemonInfo, Token } from '../../protocol/index.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { jsonLines, muxd } from './muxd.ts'

async function daemonForTest() {
  const { home, info } = await startTestDaemon()
  return { home, info, call: (...argv: string[]) => muxd([...argv, '--home', home]).ended }
}

it('token create makes a token that has its role until it is revoked', async () => {
  const { info, call } = await daemonForTest()
  const made = await call('token', 'create', 'wall display', '--observe', '--expires', '7d')
  expect(made.stdout).toMatch(/^[\w-]{43}\n$/)
  expect(made.stderr).toMatch(/^t_\S+ lets wall display in \(observe\) for 7 d 0 h; its secret is told this once:\n$/)
  const secret = made.stdout.trim()
  const as = (...argv: string[]) => muxd([...argv, '--url', info.url, '--token', secret]).ended
  expect(await as('ls', '--json')).toMatchObject({ code: 0 })
  expect(await as('token', 'ls')).toMatchObject({ code: 1, stderr: expect.stringContaining('observe token') })

  const listed = await call('token', 'ls')
  expect(listed.stdout).toMatch(
    /^TOKEN +ROLE +AGE +USED +EXPIRES +NAME\nt_control +control +\S+ +\d+s ago +- +control\n/,
  )
  expect(listed.stdout).toMatch(/\nt_\S+ +observe +\d+s +\d+s ago +in 6d +wall display\n$/)
  expect(listed.stdout).not.toContain(secret)

  const id = made.stderr.split(' ')[0]!
  expect(await call('token', 'revoke', id)).toMatchObject({ code: 0, stderr: `${id} is revoked\n` })
  expect(await as('ls')).toMatchObject({ code: 3, stderr: expect.stringContaining('401') })
  expect(await call('token', 'revoke', id)).toMatchObject({ code: 1, stderr: expect.stringContaining(id) })
})

it('token revoke replaces a built-in token, and later commands use the new one', async () => {
  const { home, info, call } = await daemonForTest()
  expect(await call('token', 'revoke', 't_control')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('replaced'),
  })
  const now = JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as DaemonInfo
  expect(now).toEqual({ ...info, token: expect.not.stringMatching(info.token) })
  const { code, stdout } = await call('token', 'ls', '--json')
  expect({ code, ids: jsonLines(stdout).map(token => (token as unknown as Token).id) }).toEqual({
    code: 0,
    ids: ['t_control', 't_observe'],
  })
})

it('token create --json prints the token and its secret', async () => {
  const { call } = await daemonForTest()
  const { stdout, stderr } = await call('token', 'create', 'script', '--json')
  expect(stderr).toBe('')
  const secret = expect.stringMatching(/^[\w-]{43}$/) as string
  expect(jsonLines(stdout)).toEqual([{ token: expect.objectContaining({ name: 'script', role: 'control' }), secret }])
})

it.each(['x', '-1s', '0s', '7w'])('token create rejects the duration %s', async life => {
  const { code, stderr } = await muxd(['token', 'create', 'x', '--expires', life]).ended
  expect(code).toBe(2)
  expect(stderr).toContain('expected a duration such as 90s, 10m or 1h')
})

it('token revoke takes a name only if one token has it', async () => {
  const { call } = await daemonForTest()
  const create = async () => (await call('token', 'create', 'wall display')).stderr.split(' ')[0]!
  const first = await create()
  expect(await call('token', 'revoke', 'wall display')).toMatchObject({ code: 0, stderr: `${first} is revoked\n` })
  const [second, third] = [await create(), await create()]
  const { code, stderr } = await call('token', 'revoke', 'wall display')
  expect(code).toBe(2)
  expect(stderr).toBe(`muxd: 2 tokens are named wall display: give one of ${second}, ${third}\n`)
})
