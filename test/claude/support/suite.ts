import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { connect } from '../../../client/sdk/index.ts'
import { startMessagesApi, type MessagesApi } from '../../support/messages-api/index.ts'
import { startDaemon, type RunningDaemon } from './daemon.ts'
import { processesWith, ptyMasters, type FoundProcess } from '../../support/processes.ts'
import { until } from '../../support/until.ts'

export type Mux = Awaited<ReturnType<typeof connect>>

export interface Suite {
  api: MessagesApi
  /** A client. `connect()` makes further ones; all are closed with the suite. */
  mux: Mux
  connect(): Promise<Mux>
  /** A directory for sessions to run in. */
  cwd: string
  /** The environment of the daemon, and of a Claude Code that a test starts itself. */
  env: Record<string, string>
  /** Kills the daemon and starts another one in the same home; `mux` is a new client afterwards. */
  kill(): Promise<void>
  /** Stops the daemon in order and starts another one in the same home; `mux` is a new client afterwards. */
  restart(): Promise<void>
  /** Returns the processes of this suite, without the daemon and its pty-host. */
  processes(): FoundProcess[]
  /** The Claude Code processes among them. */
  claudes(): FoundProcess[]
  /** Closes all sessions, checks that no process of them is left, stops the daemon, and checks again. */
  close(): Promise<void>
}

/**
 * Starts a daemon with the real Claude Code, which talks to a Messages API stand-in. `options` and `config` are the
 * daemon's.
 */
export async function startSuite(options: string[] = [], config: object = {}): Promise<Suite> {
  const claude = process.env['MUXD_TEST_CLAUDE_BIN']!
  const directory = mkdtempSync(join(tmpdir(), 'suite-'))
  const [home, userHome, cwd] = ['home', 'user', 'cwd'].map(name => join(directory, name)) as [string, string, string]
  for (const each of [home, userHome, cwd]) mkdirSync(each, { mode: 0o700 })
  writeFileSync(join(home, 'config.json'), JSON.stringify(config))
  const api = await startMessagesApi()
  const env = environmentFor(userHome, api.url)
  const start = () => startDaemon(home, ['--claude-bin', claude, ...options], env)
  const clients: Mux[] = []
  let daemon: RunningDaemon = await start()

  const open = async () => {
    const client = await connect({ url: daemon.url, token: daemon.token })
    clients.push(client)
    return client
  }
  const isPtyHost = ({ commandLine }: FoundProcess) => commandLine.includes('pty-host.js')
  const withPtyHost = () => processesWith(`HOME=${userHome}`).filter(each => each.pid !== daemon.pid)
  const processes = () => withPtyHost().filter(each => !isPtyHost(each))
  const closeClients = () => {
    for (const client of clients.splice(0)) client.close()
  }

  const suite: Suite = {
    api,
    mux: await open(),
    connect: open,
    cwd,
    env,
    restart: async () => {
      closeClients()
      expect(await daemon.stop()).toEqual(stoppedWell)
      expect(processes()).toEqual([])
      daemon = await start()
      suite.mux = await open()
    },
    kill: async () => {
      closeClients()
      await daemon.kill()
      daemon = await start()
      suite.mux = await open()
    },
    processes,
    claudes: () => processes().filter(each => each.commandLine.startsWith(`${claude} -p`)),
    close: async () => {
      try {
        const signal = AbortSignal.timeout(waitOptions.timeout)
        const { sessions } = await suite.mux.api.session.list({ limit: 200 }, { signal })
        for (const { session } of sessions) await suite.mux.api.session.close({ session, force: true }, { signal })
        await until(() => {
          expect(processes()).toEqual([])
          for (const { pid } of withPtyHost().filter(isPtyHost)) expect(ptyMasters(pid)).toBe(0)
          expect(readdirSync(join(home, 'processes')).filter(name => /\.(in|pid)$/.test(name))).toEqual([])
        }, waitOptions)
      } finally {
        closeClients()
        const stopped = await daemon.stop()
        await api.close()
        const left = withPtyHost()
        for (const { pid } of left) process.kill(pid, 'SIGKILL')
        rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
        expect(stopped).toEqual(stoppedWell)
        expect(left).toEqual([])
      }
    },
  }
  return suite
}

const stoppedWell = { code: 0, complaints: [] }
export const waitOptions = { timeout: 60_000, interval: 10 }

/** Returns only the variables that Claude Code needs, and those that let it reach nothing but the stand-in. */
export function environmentFor(userHome: string, apiUrl: string): Record<string, string> {
  return {
    PATH: process.env['PATH']!,
    HOME: userHome,
    TMPDIR: process.env['TMPDIR'] ?? tmpdir(),
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    ANTHROPIC_API_KEY: 'sk-ant-api03-made-up-for-tests-0123456789',
    ANTHROPIC_BASE_URL: apiUrl,
    CLAUDE_CODE_MAX_RETRIES: '2',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
  }
}
