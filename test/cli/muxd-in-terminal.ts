import { spawn } from 'node-pty'
import { onTestFinished, vi } from 'vitest'

/** Runs the built command line in its own terminal. */
export function muxdInTerminal(argv: string[], env: Record<string, string> = {}) {
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = process.env
  const terminal = spawn(process.execPath, ['dist/muxd.js', ...argv], {
    cols: 80,
    rows: 24,
    name: 'xterm',
    env: { ...inherited, TERM: 'xterm', ...env },
  })
  let screen = ''
  let code: number | undefined
  terminal.onData(text => (screen += text))
  terminal.onExit(({ exitCode }) => (code = exitCode))
  onTestFinished(() => {
    if (code === undefined) terminal.kill('SIGKILL')
  })
  return {
    screen: () => screen,
    press: (key: string) => terminal.write(key),
    ended: () => vi.waitUntil(() => code !== undefined && { code, screen }, { timeout: 15_000 }),
  }
}
