import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { DaemonInfo } from '../../protocol/index.ts'
import { tempHome } from '../support/daemon.ts'
import { until } from '../support/until.ts'
import { muxd } from './muxd.ts'

/** Runs `muxd serve` in the foreground, with the simulator. */
async function inForeground() {
  const home = tempHome()
  const env = {
    MUXD_SIMULATOR_HOME: `${home}-simulator`,
    MUXD_SIMULATOR_SPEED: '100',
    XDG_STATE_HOME: `${home}-state`,
    // Without a Claude Code, only the simulator can answer.
    MUXD_CLAUDE_BIN: '/nonexistent/claude',
  }
  const info = () => JSON.parse(readFileSync(join(home, 'daemon.json'), 'utf8')) as DaemonInfo
  const call = (...argv: string[]) => muxd([...argv, '--home', home], { env }).ended
  const serving = muxd(['serve', '--simulate', '--home', home, '--port', '0', '--log-level', 'warn'], { env })
  onTestFinished(async () => {
    await call('stop')
    expect(existsSync(join(home, 'daemon.json'))).toBe(false)
  })
  await until(() => expect(existsSync(join(home, 'daemon.json'))).toBe(true))
  return { home, info, call, serving, first: info() }
}

it('restart keeps the options of the daemon, and says that one in the foreground has ended', async () => {
  const { info, call, serving, first } = await inForeground()
  const { code, stderr } = await call('restart')
  const now = info()
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr:
      `the daemon in the foreground (pid ${first.pid}) has ended; the next one runs in the background: muxd logs -f shows its log\n` +
      `restarted (pid ${first.pid} is now ${now.pid})\n`,
  })
  expect((await serving.ended).code).toBe(0)
  expect(first.args).toEqual(expect.arrayContaining(['--simulate', '--log-level', 'warn']))
  expect(now).toMatchObject({ args: first.args, url: first.url })
  expect(await call('run', 'sim:text hello')).toMatchObject({ code: 0, stdout: 'hello\n' })
  // This restart finds a daemon in the background, so it does not mention the foreground.
  const again = await call('restart')
  expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/^restarted \(pid/) as string })
  expect(info().args).toEqual(first.args)
})

it('restart leaves the daemon running when its configuration is invalid', async () => {
  const { home, info, call, first } = await inForeground()
  writeFileSync(join(home, 'config.json'), '{"maxRuns":"many"}')
  const { code, stderr } = await call('restart')
  expect(code).toBe(2)
  expect(stderr).toContain('maxRuns is "many"')
  expect(stderr).toContain('the daemon was not restarted')
  expect(info()).toEqual(first)
  expect(await call('run', 'sim:text hello')).toMatchObject({ code: 0, stdout: 'hello\n' })
  writeFileSync(join(home, 'config.json'), '{}')
  expect((await call('restart')).code).toBe(0)
  expect(info().pid).not.toBe(first.pid)
})
