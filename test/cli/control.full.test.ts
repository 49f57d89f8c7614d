import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { conversation } from '../support/conversations.ts'
import { tempDir } from '../support/temp-dir.ts'
import { jsonLines, muxd } from './muxd.ts'

const daemonForTest = async () => {
  const user = tempDir()
  const { home } = await startTestDaemon({ env: { MUXD_SIMULATOR_HOME: join(user, 'claude') } })
  return { user, call: (...argv: string[]) => muxd([...argv, '--home', home]).ended }
}

it('set changes single labels and replaces the other fields of a session', async () => {
  const { call } = await daemonForTest()
  await call('run', 'sim:text one', '-C', tempDir())
  const [before] = jsonLines((await call('ls', '--json')).stdout)
  const session = before!['session'] as string
  await call('set', session, '--label', 'a=1', '--label', 'b=x=y')
  const { code, stdout } = await call('set', session, '--title', 'new', '--label', 'a=', '--model', 'large', '--json')
  expect(code).toBe(0)
  expect(jsonLines(stdout)).toMatchObject([
    { session, title: 'new', labels: { b: 'x=y' }, options: { model: 'large' } },
  ])
  expect(await call('set', session, '--permission-mode', 'plan')).toMatchObject({
    stdout: expect.stringContaining('mode          plan') as string,
  })
  const refused = await call('set', session, '--permission-mode', 'bogus')
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  expect(refused.stderr).toContain('Allowed choices are default, acceptEdits')
  expect(await call('set', session)).toMatchObject({ code: 2 })
  expect(await call('set', session, '--anew')).toMatchObject({ stdout: expect.stringContaining('none yet') as string })
})

it('fork prints a new session whose runs know the earlier conversation', async () => {
  const { call } = await daemonForTest()
  const [{ session } = {}] = jsonLines(
    (await call('run', '--json', '--detach', 'sim:text one', '-C', tempDir())).stdout,
  )
  await call('wait', session as string)
  const { code, stdout } = await call('fork', session as string, '--title', 'other way')
  expect(code).toBe(0)
  expect((await call('run', '--session', stdout.trim(), 'sim:history')).stdout).toContain('1. sim:text one')
  expect(await call('fork', 's_none')).toMatchObject({ code: 1, stdout: '' })
})

it('import lists importable conversations and imports the named or the last one', async () => {
  const { user, call } = await daemonForTest()
  const cwd = tempDir()
  expect((await call('import', '-C', cwd)).stderr).toContain(`no conversations in ${cwd}`)
  expect(await call('import', '--last', '-C', cwd)).toMatchObject({ code: 2 })
  const earlier = await conversation(user, cwd, 'sim:text earlier')
  const later = await conversation(user, cwd, 'sim:text later')
  const listed = (await call('import', '-C', cwd)).stdout.trim().split('\n')
  expect(listed.slice(1)).toEqual([
    expect.stringMatching(new RegExp(`^${later.id} .* sim:text later$`)),
    expect.stringMatching(new RegExp(`^${earlier.id} .* sim:text earlier$`)),
  ])
  const first = (await call('import', earlier.id, '-C', cwd, '--title', 'from before')).stdout.trim()
  expect((await call('run', '--session', first, 'sim:history')).stdout).toContain('1. sim:text earlier')
  const [last] = jsonLines((await call('import', '--last', '-C', cwd, '--json')).stdout)
  expect(last).toMatchObject({ conversationId: later.id, cwd })
  const again = await call('import', earlier.id, '-C', cwd)
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toContain(first)
})
