import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPty, type Pty } from '../../daemon/pty-host/pty.ts'
import { exitRecord, shimCommandLine } from '../../daemon/pty-host/shim.ts'
import { until } from '../support/until.ts'

const shells = ['/bin/sh', '/bin/dash', '/bin/bash', '/bin/ksh', '/bin/zsh'].filter(shell => existsSync(shell))

describe.each(shells)('the shim in %s', shell => {
  let dir: string
  let output: string
  let pty: Pty
  let ended: Promise<void>
  let stderr: number

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'shim-')))
  })
  afterEach(async () => {
    process.kill(pty.pid, 'SIGKILL')
    await ended
    closeSync(stderr)
    rmSync(dir, { recursive: true })
  })

  /** Starts a script: opens its stderr, and opens and closes its input. */
  const run = async (script: string) => {
    output = ''
    writeFileSync(join(dir, 'p.pid'), `${dir}\n`)
    let resolveEnded: () => void
    ended = new Promise(resolve => (resolveEnded = resolve))
    pty = openPty({
      command: shimCommandLine({ files: join(dir, 'p'), nonce: 'N0', command: ['/bin/sh', '-c', script], shell }),
      cwd: dir,
      env: { PATH: process.env['PATH']! },
      onData: chunk => (output += chunk.toString()),
      onEnd: () => resolveEnded(),
    })
    await until(() => (stderr = openSync(join(dir, 'p.stderr'), constants.O_RDONLY | constants.O_NONBLOCK)), patience)
    await until(() => {
      const fd = openSync(join(dir, 'p.in'), constants.O_WRONLY | constants.O_NONBLOCK)
      closeSync(fd)
    }, patience)
  }
  const printed = (text: string) => until(() => expect(output).toContain(text), patience)
  const whole = (text: string, status: number) =>
    until(() => expect(output).toBe(`${text}${exitRecord('N0', status)}`), patience)

  it.each([0, 1, 42, 255])('reports exit code %i after the output', async code => {
    await run(`printf out; exit ${code}`)
    await whole('out', code)
  })

  it.each([
    ['INT', 130],
    ['TERM', 143],
    ['HUP', 129],
    ['QUIT', 131],
    ['KILL', 137],
    ['SEGV', 139],
  ])('reports a command that dies of %s as %i, and prints nothing of its own', async (signal, status) => {
    await run(`printf out; ulimit -c 0; kill -${signal} $$`)
    await whole('out', status)
    expect(readFileSync(stderr, 'utf8')).toBe('')
  })

  it('waits for the end of a command that handles many signals to the process group', async () => {
    await run(
      'trap "n=x\\$n" INT TERM QUIT; echo ready; while [ ${#n} -lt 4 ]; do sleep 0.02; done; printf bye; exit 7',
    )
    await printed('ready')
    const signals = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const
    let sent = 0
    await until(() => {
      process.kill(-pty.pid, signals[sent++ % 3])
      expect(output).toContain(exitRecord('N0', 7))
    }, patience)
    expect(output).toBe(`ready\nbye${exitRecord('N0', 7)}`)
  })

  it('stays after the exit record despite signals to the process group', async () => {
    await run('exit 3')
    await whole('', 3)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.kill(-pty.pid, signal)
    await until(() => expect(readFileSync(`/proc/${pty.pid}/comm`, 'utf8')).toBe('sleep\n'), patience)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.kill(-pty.pid, signal)
    expect(readFileSync(`/proc/${pty.pid}/stat`, 'utf8')).toMatch(/ \(sleep\) [SR] /)
  })
})

const patience = { timeout: 10_000, interval: 5 }
