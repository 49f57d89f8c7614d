import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../protocol/index.ts'
import { endAllOf, processesOf, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const canary = 'tweet-tweet'
const secrets = {
  env: { API_KEY: `${canary} env` },
  settings: JSON.stringify({ env: { X: `${canary} settings` } }),
  mcpConfig: [JSON.stringify({ mcpServers: { s: { command: 'true', args: [`${canary} mcp`] } } }), 'servers.json'],
  appendSystemPrompt: `--${canary}\nof the prompt ${'x'.repeat(200_000)}`,
}
const slow = 'sim:slow delayMs=5000 words=10000'

/** Starts a run that does not end, in a session with the given options. */
async function runWith(daemon: TestDaemon, options: object) {
  const peer = await daemon.peer()
  const create = { cwd: tempDir(), options }
  const { run, session } = await peer.call<{ run: string; session: string }>('run.start', { create, prompt: slow })
  const live = await until(async () => {
    const { process } = await peer.call<Session>('session.get', { session })
    expect(process).not.toBeNull()
    return process!
  })
  const end = async () => {
    await peer.call('run.cancel', { run, mode: 'kill' })
    await peer.call('run.wait', { run })
    await peer.call('session.close', { session })
  }
  return { peer, run, session, pid: live.pid, end }
}

const commandLines = (daemon: TestDaemon) =>
  processesOf(daemon.home).map(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'))

/** Returns the names of the existing option directories. */
const optionsIn = (daemon: TestDaemon) =>
  readdirSync(join(daemon.home, 'processes')).filter(name => name.endsWith('.options'))

describe('long or secret options of a session', () => {
  it('are passed in files of mode 600, not on a command line, and are removed with the process', async () => {
    const daemon = await startTestDaemon()
    const { end } = await runWith(daemon, secrets)
    // The daemon, the shim, its inner shell and the command.
    const shown = commandLines(daemon)
    expect(shown.length).toBeGreaterThan(2)
    expect(shown.flat().filter(word => word.includes(canary))).toEqual([])

    const [name, ...others] = optionsIn(daemon)
    expect(others).toEqual([])
    const directory = join(daemon.home, 'processes', name!)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    const contents = Object.fromEntries(
      readdirSync(directory).map(file => {
        expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
        return [file, readFileSync(join(directory, file), 'utf8')]
      }),
    )
    expect(contents).toEqual({
      'append-system-prompt.txt': secrets.appendSystemPrompt,
      'mcp-config-0.json': secrets.mcpConfig[0],
      'settings.json': secrets.settings,
    })
    const words = shown.find(each => each.includes('-p') && !each.includes('-c'))!
    expect(words).toContain(`--append-system-prompt-file=${directory}/append-system-prompt.txt`)
    expect(words).toContain(`--mcp-config=${directory}/mcp-config-0.json`)
    expect(words).toContain('--mcp-config=servers.json')
    expect(words).toContain(`--settings=${directory}/settings.json`)
    await end()
    await until(() => expect(optionsIn(daemon)).toEqual([]))
  })

  it('stay in their files while the process outlives the daemon, until the next one finds it ended', async () => {
    const daemon = await startTestDaemon()
    const first = await runWith(daemon, secrets)
    await daemon.kill()
    expect(optionsIn(daemon)).toHaveLength(1)
    const next = await startTestDaemon({ home: daemon.home })
    const peer = await next.peer()
    await until(async () =>
      expect((await peer.call<Session>('session.get', { session: first.session })).process?.pid).toBe(first.pid),
    )
    expect(optionsIn(next)).toHaveLength(1)
    await peer.call('run.cancel', { run: first.run, mode: 'kill' })
    await peer.call('run.wait', { run: first.run })
    await peer.call('session.close', { session: first.session })
    await until(() => expect(optionsIn(next)).toEqual([]))
  })

  it('are removed by the next daemon after everything was killed', async () => {
    const daemon = await startTestDaemon()
    await runWith(daemon, secrets)
    await endAllOf(daemon)
    expect(optionsIn(daemon)).toHaveLength(1)
    const next = await startTestDaemon({ home: daemon.home })
    await until(() => expect(optionsIn(next)).toEqual([]))
  })
})
