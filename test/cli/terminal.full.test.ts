import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { muxdInTerminal } from './muxd-in-terminal.ts'

it('run rewrites tool lines in place and in colour on a terminal', async () => {
  const { home } = await startTestDaemon()
  const { ended } = muxdInTerminal(['run', 'sim:tools takesMs=3000', '--home', home])
  const { code, screen } = await ended()
  expect(code).toBe(0)
  expect(screen).toContain('\u001b[1A\u001b[J\u001b[32m✓')
  expect(screen).toContain('I will read a file first.')
})

it('run prints no colours on a terminal with NO_COLOR', async () => {
  const { home } = await startTestDaemon()
  const { ended } = muxdInTerminal(['run', 'sim:tools takesMs=3000', '--home', home], { NO_COLOR: '1' })
  // oxlint-disable-next-line no-control-regex
  expect((await ended()).screen).not.toMatch(/\u001b\[[\d;]*m/)
})

it('control characters from a model do not reach the terminal', async () => {
  const { home } = await startTestDaemon()
  const { ended } = muxdInTerminal(['run', '--home', home, 'sim:text a\u001b]0;owned\u0007\u001b[2Jb'])
  expect((await ended()).screen).toContain('a]0;owned[2Jb')
})

it('serve shows the link to its page on a terminal', async () => {
  const terminal = muxdInTerminal(['serve', '--simulate', '--home', join(tempDir(), 'home'), '--port', '0'])
  await until(() => expect(terminal.screen()).toMatch(/http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{32}/))
  await until(() => expect(terminal.screen()).toContain('listening'))
  terminal.press('\u0003')
  expect((await terminal.ended()).code).toBe(0)
})

it('Ctrl-C on the keyboard cancels the run', async () => {
  const { home } = await startTestDaemon()
  const terminal = muxdInTerminal(['run', 'sim:slow delayMs=5000 words=10000', '--home', home], { NO_COLOR: '1' })
  await until(() => expect(terminal.screen()).toContain('simulated answer'))
  terminal.press('\u0003')
  const { code, screen } = await terminal.ended()
  expect(code).toBe(130)
  expect(screen).toMatch(/cancelling; Ctrl-C again to kill it[\s\S]+cancelled by \S+@\S+(?: \(\S+\))?/)
})
