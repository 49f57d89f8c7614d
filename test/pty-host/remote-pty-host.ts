import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemotePtyHost, type RemotePtyHost } from '../../daemon/pty-host/remote.ts'
import { type Home, homePaths } from '../../daemon/home/home.ts'
import { createLog } from '../../daemon/log/log.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 20_000, interval: 10 }

export const attachPtyHost = (home: Home): Promise<RemotePtyHost> =>
  createRemotePtyHost({ home, logLevel: 'info', muxd: '0.0.0-test', log: createLog('silent') })

/** Resolves with the pid of the pty-host when it is connected. */
export const connectedPtyHost = (ptyHost: RemotePtyHost): Promise<number> =>
  until(() => {
    const { state, pid } = ptyHost.status()
    if (state !== 'connected') throw new Error(`the pty-host is ${state}, not connected`)
    return pid!
  }, patience)

/** Starts a pty-host in its own process. The files of its processes are in `dir`. */
export async function openRemotePtyHost(dir: string) {
  const directory = mkdtempSync(join(tmpdir(), 'holder-home-'))
  const home = homePaths(directory)
  symlinkSync(dir, home.processes)
  const ptyHost = await attachPtyHost(home)
  const pid = await connectedPtyHost(ptyHost)
  return {
    ptyHost,
    pid,
    /** Call it after the pty-host has closed. */
    async dispose() {
      await until(() => {
        if (isAlive(pid)) throw new Error(`pty-host ${pid} is still alive`)
      }, patience)
      rmSync(directory, { recursive: true })
    },
  }
}
