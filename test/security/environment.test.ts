import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { processesOf, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** Returns the environment of a session's process, as the kernel reports it. */
async function environmentIn(daemon: TestDaemon, options: object = {}): Promise<Map<string, string>> {
  const peer = await daemon.peer()
  const create = { cwd: tempDir(), options }
  const { run, session } = await peer.call<{ run: string; session: string }>('run.start', {
    create,
    prompt: 'sim:text',
  })
  await peer.call('run.wait', { run })
  const { process } = await peer.call<{ process: { pid: number } }>('session.get', { session })
  const variables = readFileSync(`/proc/${process.pid}/environ`, 'utf8').split('\0').filter(Boolean)
  return new Map(variables.map(each => each.split(/=(.*)/s).slice(0, 2) as [string, string]))
}

const env = {
  SOME_KEY: 'of the user',
  ANTHROPIC_MODEL: 'm',
  MUXD_CLAUDE_BIN: '/elsewhere',
  CLAUDECODE: '1',
  CLAUDE_CODE_SESSION_ID: 'outer',
  CLAUDE_CODE_MESSAGING_TOKEN: 'outer secret',
}

describe('a process of a session', () => {
  it('has the environment of the daemon and session, without variables of muxd or Claude Code', async () => {
    const environment = await environmentIn(await startTestDaemon({ env }), { env: { OWN: 'x', SOME_KEY: 'changed' } })
    expect(environment.get('OWN')).toBe('x')
    expect(environment.get('SOME_KEY')).toBe('changed')
    expect(environment.get('ANTHROPIC_MODEL')).toBe('m')
    expect(environment.get('CLAUDECODE')).toBe('')
    // The simulator's own variables.
    const simulated = new Set(['CLAUDE_CONFIG_DIR', 'MUXD_SIMULATOR_HOME', 'MUXD_SIMULATOR_SPEED'])
    const names = [...environment.keys()].filter(name => /^(MUXD_|CLAUDE_)/.test(name))
    expect(names.filter(name => !simulated.has(name))).toEqual(['MUXD_PROCESS'])
  })

  it('has only the variables that allowEnvironment names and those that muxd sets', async () => {
    // `TEST_DAEMON` marks the processes of this test, and `PATH` lets them find their programs.
    const allowEnvironment = ['TEST_DAEMON', 'PATH', 'ANTHROPIC_*']
    const environment = await environmentIn(await startTestDaemon({ env, config: { allowEnvironment } }))
    const names = [...environment.keys()].filter(name => !name.startsWith('MUXD_SIMULATOR_'))
    expect(names.toSorted()).toEqual(
      [
        'ANTHROPIC_MODEL',
        'CLAUDECODE',
        'MUXD_PROCESS',
        'NO_COLOR',
        'PATH',
        'PWD',
        'TERM',
        'TEST_DAEMON',
        'TMPDIR',
      ].toSorted(),
    )
  })

  it('gets no secret of muxd in its environment or on its command line', async () => {
    const daemon = await startTestDaemon()
    const peer = await daemon.peer()
    const { secret } = await peer.call<{ secret: string }>('token.create', { name: 'other', role: 'control' })
    const environment = await environmentIn(daemon)
    const { sessions } = await peer.call<{ sessions: { process: { pid: number } }[] }>('session.list')
    const commandLine = readFileSync(`/proc/${sessions[0]!.process.pid}/cmdline`, 'utf8')
    for (const each of [secret, daemon.info.token, daemon.info.observeToken]) {
      expect([...environment.values()].join('\n') + commandLine).not.toContain(each)
    }
  })
})

it('a prompt is on no command line and in no environment', async () => {
  const daemon = await startTestDaemon()
  const peer = await daemon.peer()
  const create = { cwd: tempDir() }
  const prompt = 'sim:slow delayMs=5000 words=10000 not-for-the-neighbours'
  const { run } = await peer.call<{ run: string }>('run.start', { create, prompt })
  const shown = await until(() => {
    const ours = processesOf(daemon.home)
    expect(ours.length).toBeGreaterThan(2)
    return ours.flatMap(pid => ['cmdline', 'environ'].map(name => readFileSync(`/proc/${pid}/${name}`, 'utf8')))
  })
  expect(shown.join()).not.toContain('not-for-the-neighbours')
  await peer.call('run.cancel', { run, mode: 'kill' })
  await peer.call('run.wait', { run })
})

it('a session cannot set MUXD_PROCESS, and its paths are confined to --allow-root', async () => {
  const root = tempDir()
  const daemon = await startTestDaemon({ argv: ['--simulate', '--allow-root', root] })
  const peer = await daemon.peer()
  for (const [options, path] of [
    [{ env: { MUXD_PROCESS: 'x' } }, '/options/env/MUXD_PROCESS'],
    [{ addDirs: ['/'] }, '/options/addDirs/0'],
    [{ mcpConfig: ['/etc/hosts'] }, '/options/mcpConfig/0'],
    [{ settings: '/etc/hosts' }, '/options/settings'],
  ] as const) {
    await expect(peer.call('session.create', { cwd: root, options })).rejects.toMatchObject({
      error: { data: { kind: 'invalid_params', path } },
    })
  }
  await peer.call('session.create', { cwd: root, options: { addDirs: ['.'], settings: '{}' } })
})
