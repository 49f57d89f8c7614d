import { expect, it } from 'vitest'
import { muxd } from './muxd.ts'

it.each<[string, string[], string]>([
  ['an unknown command', ['bogus'], "unknown command 'bogus'"],
  ['an unknown option', ['ls', '--bogus'], "unknown option '--bogus'"],
  ['a surplus argument', ['run', 'a', 'b'], 'too many arguments'],
  ['a missing argument', ['cancel'], "missing required argument 'run'"],
  ['an invalid number', ['attach', 's_1', '--from', 'x'], 'expected a whole number'],
  ['an invalid duration', ['wait', 'r_1', '--timeout', 'soon'], 'expected a duration such as 90s'],
  ['an unknown group', ['usage', '--by', 'day,colour'], 'expected some of day, session, run, model'],
  ['options that exclude each other', ['cancel', 'r_1', '--kill', '--terminate'], 'cannot be used with'],
  ['a session and a directory', ['run', 'x', '--session', 's_1', '-C', '/'], '--directory is for a new session'],
  ['an invalid url', ['ls', '--url', 'localhost'], 'expected ws://HOST:PORT/ws'],
  ['an unknown option of the daemon', ['serve', '--bogus'], '--bogus'],
])('%s is a usage error, printed on standard error', async (_, argv, message) => {
  const { code, stdout, stderr } = await muxd(argv).ended
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})

it.each([['--help'], ['run', '--help'], ['serve', '--help'], ['--version']])(
  '%s %s prints to standard output and succeeds',
  async (...argv) => {
    const { code, stdout, stderr } = await muxd(argv).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toBe('')
  },
)

it.each([['ls'], ['status'], ['run', 'x'], ['attach', 'r_1'], ['cancel', 'r_1'], ['wait', 'r_1'], ['show', 'r_1']])(
  '%s with --no-start fails as unavailable when no daemon runs',
  async (...argv) => {
    const { code, stdout, stderr } = await muxd([...argv, '--no-start']).ended
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '', stderr: 'muxd: no daemon runs in /nonexistent\n' })
  },
)

it('a daemon at a URL that does not answer is unavailable', async () => {
  const { code, stderr } = await muxd(['ls', '--url', 'ws://127.0.0.1:1/ws']).ended
  expect(code).toBe(3)
  expect(stderr).toContain('ws://127.0.0.1:1/ws')
})

it('stop without a daemon succeeds', async () => {
  expect(await muxd(['stop']).ended).toMatchObject({ code: 0, stderr: 'no daemon runs\n' })
})
