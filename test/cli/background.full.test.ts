import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { DaemonInfo } from '../../protocol/index.ts'
import { tempHome } from '../support/daemon.ts'
import { until } from '../support/until.ts'
import { expectWholeLog, type LogEvent } from '../support/whole-log.ts'
import { jsonLines, muxd } from './muxd.ts'

const simulator = resolve('dist/simulator.js')

/** A home without a daemon. A daemon that is started in it is stopped after the test. */
function homeForTest({ below = '' } = {}) {
  const home = join(tempHome(), below)
  onTestFinished(async () => {
    await muxd(['stop', '--home', home]).ended
    expect(existsSync(join(home, 'daemon.json'))).toBe(false)
  })
  return {
    home,
    env: {
      MUXD_CLAUDE_BIN: simulator,
      MUXD_SIMULATOR_HOME: `${home}-simulator`,
      MUXD_SIMULATOR_SPEED: '100',
      XDG_STATE_HOME: `${home}-state`,
    },
  }
}

const infoOf = (home: string) => JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as DaemonInfo

it('the first command starts a daemon that outlives it; stop ends it', async () => {
  const { home, env } = homeForTest()
  const first = await muxd(['run', 'sim:text hello', '--home', home], { env }).ended
  expect(first).toMatchObject({ code: 0, stdout: 'hello\n' })
  expect(first.stderr).toContain('no daemon runs, starting one')
  const { pid } = infoOf(home)
  const second = await muxd(['ls', '--json', '--home', home]).ended
  expect(second.stderr).toBe('')
  expect(jsonLines(second.stdout)).toHaveLength(1)
  const stopped = await muxd(['stop', '--home', home]).ended
  expect(stopped).toMatchObject({ code: 0, stdout: '', stderr: `stopped (pid ${pid})\n` })
  expect(existsSync(join(home, 'daemon.json'))).toBe(false)
  const again = await muxd(['ls', '--json', '--home', home], { env }).ended
  const ids = (output: string) => jsonLines(output).map(({ session }) => session)
  expect(ids(again.stdout)).toEqual(ids(second.stdout))
})

it('simultaneous commands share the daemon that one of them starts', async () => {
  const { home, env } = homeForTest()
  const ends = await Promise.all([1, 2, 3].map(() => muxd(['ls', '--home', home], { env }).ended))
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0])
})

it('a daemon.json that a killed daemon left behind does not prevent the next start', async () => {
  const { home, env } = homeForTest()
  await muxd(['ls', '--home', home], { env }).ended
  const { pid, instance } = infoOf(home)
  process.kill(pid, 'SIGKILL')
  expect(await muxd(['ls', '--home', home], { env }).ended).toMatchObject({ code: 0 })
  expect(infoOf(home).instance).not.toBe(instance)
})

it('a daemon that cannot start is reported with the end of its log', async () => {
  const { home, env } = homeForTest()
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(home, 'config.json'), '{"port":"high"}')
  const { code, stdout, stderr } = await muxd(['ls', '--home', home], { env }).ended
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toContain('the daemon did not start')
  expect(stderr).toContain('port')
  expect(stderr).toContain(join(home, 'log'))
})

it('a home that other users can open is rejected with the chmod that fixes it', async () => {
  const { home, env } = homeForTest()
  mkdirSync(home)
  chmodSync(home, 0o755)
  const { code, stderr } = await muxd(['ls', '--home', home], { env }).ended
  expect(code).toBe(3)
  expect(stderr).toContain(`chmod 700 ${home}`)
  const doctor = await muxd(['doctor', '--json', '--home', home], { env }).ended
  expect(doctor.code).toBe(3)
  expect(doctor.stdout).toContain(`chmod 700 ${home}`)
})

it('logs shows and follows the logs of a home, whether a daemon runs or not', async () => {
  const { home, env } = homeForTest()
  const none = await muxd(['logs', '--home', home]).ended
  expect(none).toEqual({ code: 0, stdout: '', stderr: `no log in ${join(home, 'log')}\n` })
  const following = muxd(['logs', '--follow', '--json', '--home', home])
  onTestFinished(() => following.interrupt())
  await until(() => expect(following.stderr()).toContain('yet'))
  await muxd(['ls', '--home', home], { env }).ended
  const { pid } = infoOf(home)
  await until(() =>
    expect(jsonLines(following.stdout())).toContainEqual(expect.objectContaining({ message: 'listening', pid })),
  )
  await muxd(['stop', '--home', home]).ended
  await until(() => expect(jsonLines(following.stdout()).map(({ message }) => message)).toContain('stopped'))
  const { stdout } = await muxd(['logs', '--home', home]).ended
  expect(stdout).toMatch(/^── \d{4}-\d\d-\d\d\n/)
  expect(stdout).toMatch(/^[\d:]+ listening · url .* · pid \d+/m)
  expect(stdout).toMatch(/^[\d:]+ pty-host holding/m)
  expect((await muxd(['logs', '-n', '1', '--home', home]).ended).stdout.split('\n')).toHaveLength(3)
  expect((await muxd(['logs', '--level', 'error', '--json', '--home', home]).ended).stdout).toBe('')
})

/** Lasts until after a restart of the daemon, at the hundredfold speed of the tests. */
const slow = 'sim:slow delayMs=5000 words=150'

it('restart replaces the daemon, and runs and their followers continue', async () => {
  const { home, env } = homeForTest()
  const id = (await muxd(['run', '--detach', slow, '--home', home], { env }).ended).stdout.trim()
  const before = infoOf(home)
  const watching = muxd(['attach', id, '--json', '--home', home])
  await until(() => expect(watching.stdout()).toContain('assistant_text'))
  const { code, stderr } = await muxd(['restart', '--home', home]).ended
  const after = infoOf(home)
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `restarted (pid ${before.pid} is now ${after.pid}); 1 live process kept\n`,
  })
  expect({ url: after.url, args: after.args }).toEqual({ url: before.url, args: before.args })
  const seen = await watching.ended
  expect(seen.code).toBe(0)
  const events = jsonLines(seen.stdout)
  expectWholeLog(events as unknown as LogEvent[])
  expect(events.at(-1)).toMatchObject({ type: 'done' })
})

it.each([
  ['in the home', ''],
  ['elsewhere, because the path of the home is long', 'h'.repeat(100)],
])('stop without a daemon ends kept sessions, with sockets %s', async (_where, below) => {
  const { home, env } = homeForTest({ below })
  const id = (await muxd(['run', '--detach', 'sim:hang', '--home', home], { env }).ended).stdout.trim()
  await muxd(['stop', '--keep-sessions', '--home', home]).ended
  const shown = await muxd(['status', '--home', home]).ended
  expect(shown.stderr).toContain('its sessions go on')
  const stopped = await muxd(['stop', '--home', home], { env }).ended
  expect(stopped.stderr).toContain('no daemon runs, but sessions go on')
  const run = await muxd(['show', id, '--json', '--home', home], { env }).ended
  expect(jsonLines(run.stdout)[0]).toMatchObject({ state: 'interrupted' })
})

it('stop interrupts runs, and with --keep-sessions the next daemon takes them over', async () => {
  const { home, env } = homeForTest()
  const start = async (prompt: string) =>
    (await muxd(['run', '--detach', prompt, '--home', home], { env }).ended).stdout.trim()
  const kept = await start(slow)
  const keeping = await muxd(['stop', '--keep-sessions', '--home', home]).ended
  expect(keeping).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^stopped \(pid \d+\); 1 live process kept\n$/) as string,
  })
  const doctor = await muxd(['doctor', '--home', home], { env }).ended
  expect(doctor.stdout).toMatch(/pty-host +waits for a daemon/)
  expect((await muxd(['wait', kept, '--home', home], { env }).ended).code).toBe(0)

  const ended = await start('sim:hang')
  const status = await muxd(['status', '--home', home]).ended
  expect(status.stdout).toMatch(/^pty-host +pid \d+, up .*, \d process(es)?, muxd \d/m)
  const stopping = await muxd(['stop', '--home', home]).ended
  expect(stopping).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^stopped \(pid \d+\); 1 run interrupted\n$/) as string,
  })
  const shown = await muxd(['show', ended, '--json', '--home', home], { env }).ended
  expect(jsonLines(shown.stdout)).toMatchObject([{ state: 'interrupted' }])
})

it('restart --wait waits for active runs, and restart without a daemon starts one', async () => {
  const { home, env } = homeForTest()
  expect(await muxd(['restart', '--no-start', '--home', home], { env }).ended).toMatchObject({ code: 3 })
  const first = await muxd(['restart', '--home', home], { env }).ended
  expect(first).toMatchObject({ code: 0, stderr: 'no daemon runs, starting one\n' })
  const id = (await muxd(['run', '--detach', slow, '--home', home], { env }).ended).stdout.trim()
  const restarting = await muxd(['restart', '--wait', '--home', home]).ended
  expect(restarting.stderr).toMatch(/^waiting for 1 run\nrestarted /)
  expect(jsonLines((await muxd(['show', id, '--json', '--home', home]).ended).stdout)).toMatchObject([
    { state: 'done' },
  ])
})

it('sessions of a killed daemon are reported by status and ended by stop', async () => {
  const { home, env } = homeForTest()
  const id = (await muxd(['run', '--detach', 'sim:hang', '--home', home], { env }).ended).stdout.trim()
  process.kill(infoOf(home).pid, 'SIGKILL')
  const status = await muxd(['status', '--home', home]).ended
  expect(status).toMatchObject({ code: 3, stderr: expect.stringContaining('but its sessions go on') as string })
  const stopping = await muxd(['stop', '--home', home], { env }).ended
  expect(stopping).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/\(pid \d+\); 1 run interrupted\n$/) as string,
  })
  const shown = await muxd(['show', id, '--json', '--home', home], { env }).ended
  expect(jsonLines(shown.stdout)).toMatchObject([{ state: 'interrupted' }])
})
