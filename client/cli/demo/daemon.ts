import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readDaemonInfo } from '../../sdk/index.ts'
import { daemonProgram } from '../daemon/background.ts'

/** A daemon with the simulator in a temporary home. `close` ends it and removes the home. */
export interface DemoDaemon {
  home: string
  /** The working directory of the sessions. */
  directory: string
  url: string
  close(): Promise<void>
}

export async function startDemoDaemon(signal: AbortSignal): Promise<DemoDaemon> {
  const home = await mkdtemp(join(tmpdir(), 'muxd-demo-'))
  const directory = join(home, 'project')
  await mkdir(directory)
  const argv = [fileURLToPath(daemonProgram()), '--home', home, '--port', '0', '--simulate', '--log-level', 'error']
  const child = spawn(process.execPath, [...process.execArgv, ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = once(child, 'exit')
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    const killing = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(killing)
    await rm(home, { recursive: true, force: true })
  }
  try {
    for (;;) {
      signal.throwIfAborted()
      if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`)
      const info = await readDaemonInfo(home)
      if (info) return { home, directory, url: info.url, close }
      await delay(20)
    }
  } catch (error) {
    await close()
    throw error
  }
}
