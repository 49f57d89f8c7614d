import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DaemonInfo } from '../../protocol/index.ts'

const program = fileURLToPath(new URL('../../dist/daemon.js', import.meta.url))

/** Starts the built daemon in its own home below `dir`. `config` is its `config.json`. */
export async function startBenchDaemon(
  dir: string,
  argv: string[],
  env: Record<string, string> = {},
  config: object = {},
): Promise<{ info: DaemonInfo; close: () => Promise<void> }> {
  const home = join(dir, 'home')
  mkdirSync(home, { mode: 0o700, recursive: true })
  writeFileSync(join(home, 'config.json'), JSON.stringify(config))
  const options = ['--home', home, '--port', '0', '--log-level', 'warn', ...argv]
  const daemon = spawn(process.execPath, [program, ...options], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(daemon, 'exit')
  const close = async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) daemon.kill('SIGTERM')
    await ended
  }
  try {
    const infoPath = join(home, 'daemon.json')
    await appears(infoPath, () => daemon.exitCode !== null, 'the daemon')
    return { info: JSON.parse(readFileSync(infoPath, 'utf8')) as DaemonInfo, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Waits for a file that another process creates. Throws after 15 s, or when `hasEnded` returns true. */
export async function appears(path: string, hasEnded: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!existsSync(path)) {
    if (hasEnded() || Date.now() > deadline) throw new Error(`${what} did not start`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
