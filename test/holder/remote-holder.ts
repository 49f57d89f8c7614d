import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteHolder, type RemoteHolder } from '../../daemon/holder/remote.ts'
import { type Home, homePaths } from '../../daemon/home.ts'
import { createLog } from '../../daemon/log.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'

const patience = { timeout: 20_000, interval: 10 }

export const attachHolder = (home: Home): Promise<RemoteHolder> =>
  createRemoteHolder({ home, logLevel: 'info', muxd: '0.0.0-test', log: createLog('silent') })

/** Resolves with its pid. */
export const connectedHolder = (holder: RemoteHolder): Promise<number> =>
  until(() => {
    const { state, pid } = holder.status()
    if (state !== 'connected') throw new Error(`the holder is ${state}, not connected`)
    return pid!
  }, patience)

/** A holder in a process of its own, whose processes' files are in `dir`. */
export async function openRemoteHolder(dir: string) {
  const directory = mkdtempSync(join(tmpdir(), 'holder-home-'))
  const home = homePaths(directory)
  symlinkSync(dir, home.processes)
  const holder = await attachHolder(home)
  const pid = await connectedHolder(holder)
  return {
    holder,
    pid,
    /** After it was closed. */
    async dispose() {
      await until(() => {
        if (isAlive(pid)) throw new Error(`holder ${pid} is still alive`)
      }, patience)
      rmSync(directory, { recursive: true })
    },
  }
}
