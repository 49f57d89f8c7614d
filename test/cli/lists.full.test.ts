import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { muxd } from './muxd.ts'

const slow = 'sim:slow delayMs=5000 words=10000'

it('cancel and wait take several runs, and an unknown run does not stop the others', async () => {
  const { home, peer } = await startTestDaemon()
  const client = await peer()
  const start = async (prompt: string) =>
    (await client.call<{ run: string }>('run.start', { create: { cwd: home }, prompt })).run
  const [one, other, done] = [await start(slow), await start(slow), await start('hello')]
  const cancelled = await muxd(['cancel', one, 'r_none', other, '--home', home]).ended
  expect(cancelled.code).toBe(1)
  expect(cancelled.stderr.trim().split('\n').toSorted()).toEqual(
    ['muxd: there is no run r_none', `${one} is being cancelled`, `${other} is being cancelled`].toSorted(),
  )
  const waited = await muxd(['wait', done, one, other, '--home', home]).ended
  expect(waited.code).toBe(130)
  expect(waited.stderr.trim().split('\n').toSorted()).toEqual(
    [`${done} done`, `${one} cancelled`, `${other} cancelled`].toSorted(),
  )
})

it('ls lists a running session before newer idle ones, and counts the omitted sessions', async () => {
  const { home, peer } = await startTestDaemon()
  const client = await peer()
  const start = (prompt: string) =>
    client.call<{ run: string; session: string }>('run.start', { create: { cwd: home }, prompt })
  const working = await start(slow)
  for (let count = 0; count < 3; count++) await client.call('session.create', { cwd: home })
  const { stdout, stderr } = await muxd(['ls', '-n', '2', '--home', home]).ended
  expect(stdout.split('\n')[1]).toContain(working.session)
  expect(stderr).toBe('2 more: muxd ls -n 4\n')
  await client.call('run.cancel', { run: working.run })
})
