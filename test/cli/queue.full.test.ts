import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { until } from '../support/until.ts'
import { jsonLines, muxd } from './muxd.ts'

const daemonForTest = async () => {
  const { home } = await startTestDaemon()
  return (...argv: string[]) => muxd([...argv, '--home', home])
}
const lines = (output: string) => output.trimEnd().split('\n')

it('queue lists waiting runs, move reorders them and cancel removes them', async () => {
  const call = await daemonForTest()
  const started = jsonLines((await call('run', '--detach', '--json', 'sim:hang at=text').ended).stdout)[0]!
  const session = started['session'] as string
  const add = async (prompt: string) => lines((await call('run', '--detach', '-s', session, prompt).ended).stdout)[0]!
  const [first, second] = [await add('and now the tests'), await add('and then the docs')]
  const moved = await call('move', second, '--to', '1').ended
  expect(moved).toMatchObject({ code: 0, stdout: '' })
  expect(moved.stderr).toBe(`${second} is next in its queue, waits for an earlier run of its session\n`)
  const shown = lines((await call('queue', session).ended).stdout)
  expect(shown.map(line => line.replaceAll(/ +/g, ' '))).toEqual([
    '# RUN WAITS FOR BY PROMPT',
    expect.stringMatching(`^1 ${second} session \\S+@\\S+ and then the docs$`) as string,
    expect.stringMatching(`^2 ${first} session \\S+@\\S+ and now the tests$`) as string,
  ])
  expect((await call('ls').ended).stdout).toMatch(/ (running|silent \d+\w) +2 /)
  expect((await call('show', second).ended).stdout).toContain('queued · next in its queue')
  await call('cancel', first).ended
  expect(jsonLines((await call('queue', session, '--json').ended).stdout)).toMatchObject([{ run: second, position: 0 }])
  for (const run of [second, started['run'] as string]) await call('cancel', run).ended
  await until(async () => expect(await call('queue', session).ended).toMatchObject({ stdout: '' }))
  expect(await call('move', second, '--to', '1').ended).toMatchObject({ code: 1 })
  expect(await call('move', second, '--to', '0').ended).toMatchObject({ code: 2 })
})

it('run --timeout ends a run that takes too long, and says so', async () => {
  const call = await daemonForTest()
  const { code, stderr } = await call('run', '--timeout', '1500ms', 'sim:hang').ended
  expect(code).toBe(1)
  expect(stderr).toContain('■ it took 1.5 s: it is ended\n')
  expect(stderr).toContain('✗ failed: The run took longer than it was given')
  const { stderr: unclear } = await call('run', '--timeout', 'soon', 'sim:text').ended
  expect(unclear).toContain('expected a duration such as 90s, 10m or 1h30m.')
})
