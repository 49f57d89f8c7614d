import { hostname, userInfo } from 'node:os'
import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { jsonLines, muxd } from './muxd.ts'
import { muxdInTerminal } from './muxd-in-terminal.ts'

const me = `${userInfo().username}@${hostname().split('.')[0]}`

it('a client is named by --as, MUXD_CLIENT_NAME, or its user, host and terminal', async () => {
  const { home } = await startTestDaemon()
  const nameOf = async (argv: string[], env: Record<string, string> = {}) => {
    const { stdout } = await muxd(['run', 'hello', '--detach', '--json', '--home', home, ...argv], { env }).ended
    return (jsonLines(stdout)[0] as { origin: { name: string } }).origin.name
  }
  expect(await nameOf([])).toBe(me)
  expect(await nameOf([], { MUXD_CLIENT_NAME: 'nightly build' })).toBe('nightly build')
  expect(await nameOf(['--as', 'ada'], { MUXD_CLIENT_NAME: 'nightly build' })).toBe('ada')
  const { screen } = await muxdInTerminal(['run', 'hello', '--detach', '--json', '--home', home]).ended()
  expect(screen).toMatch(new RegExp(`"name":"${me} \\((?:pts/\\d+|tty\\S+)\\)"`))
})

it('a blank name is a usage error', async () => {
  const { code, stderr } = await muxd(['ls', '--as', ' ', '--no-start']).ended
  expect({ code, stderr }).toEqual({ code: 2, stderr: 'muxd: --as " ": expected 1 to 200 characters in one line\n' })
})
