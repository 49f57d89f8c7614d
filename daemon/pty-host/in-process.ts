import { readdirSync, rmSync } from 'node:fs'
import type { Log } from '../log/log.ts'
import { type OwnProcess, startHeldProcess } from './held-process.ts'
import { type PtyHost, type ProcessSpec, SpawnFailed } from './pty-host.ts'
import { describeLeft, identityOf } from '../os/left-process.ts'
import { processFiles, whileHeld } from './process-files.ts'
import { listProcesses } from '../os/process-list.ts'
import { forgetStarted, readStarted } from './started-processes.ts'
import { sweep } from './sweep.ts'

export interface InProcessPtyHostOptions {
  /** Directory of the process files. It must exist, and no other pty-host may use it at the same time. */
  dir: string
  log?: Log
}

export interface InProcessPtyHost extends PtyHost {
  start(spec: ProcessSpec): Promise<OwnProcess>
  list(): OwnProcess[]
  /** Sets the pid of the attached daemon, which sweeps never kill, even if it was started from within a session. */
  spare(daemon: number | undefined): void
}

/** Creates a pty-host in this process. The processes that it holds end with this process. */
export function createInProcessPtyHost({ dir, log }: InProcessPtyHostOptions): InProcessPtyHost {
  const held = new Map<string, OwnProcess>()
  const starting = new Set<Promise<OwnProcess>>()
  const ready = removeLeftovers(dir)
  // `start` reports this error.
  ready.catch(() => {})
  let closing: Promise<void> | undefined
  let spared: readonly number[] = []

  const start = async (spec: ProcessSpec) => {
    try {
      await ready
    } catch (error) {
      throw new SpawnFailed(`the directory ${dir} cannot be used`, { cause: error })
    }
    if (closing) throw new SpawnFailed('the pty-host has been closed')
    const process = await startHeldProcess(
      dir,
      spec,
      log,
      () => spared,
      () => held.delete(spec.id),
    )
    held.set(process.id, process)
    return process
  }

  const close = async () => {
    // Wait until the leftover processes of the previous pty-host have ended.
    await Promise.allSettled([ready, ...starting])
    await Promise.all(
      [...held.values()].map(async process => {
        await process.kill()
        await process.release()
        forgetStarted(processFiles(dir, process.id))
      }),
    )
  }

  return {
    start(spec) {
      const started = start(spec)
      starting.add(started)
      const settled = () => starting.delete(started)
      started.then(settled, settled)
      return started
    },
    list: () => [...held.values()],
    spare(daemon) {
      spared = daemon === undefined ? [] : [daemon]
    },
    async clear(id, { spareDetached }) {
      await ready
      const files = processFiles(dir, id)
      const started = readStarted(files)
      // The release found no processes left.
      if (spareDetached && !started) return []
      const { left, stuck } = await sweep({
        ids: [id],
        shimPid: undefined,
        seen: started?.seen ?? [],
        spared,
        ...(spareDetached && started && { onlySession: started.session }),
      })
      if (stuck.length > 0) log?.warn('processes do not go away', { process: id, pids: stuck })
      forgetStarted(files)
      return left.map(describeLeft)
    },
    async endLeft(ids, left) {
      const identities = new Map(left.map(({ pid, identity }) => [pid, identity]))
      const seen = (await listProcesses()).filter(entry => identities.get(entry.pid) === identityOf(entry))
      const { stuck } = await sweep({ ids, shimPid: undefined, seen, spared })
      if (stuck.length > 0) log?.warn('processes do not go away', { pids: stuck })
    },
    close: () => (closing ??= close()),
  }
}

/**
 * Ends the processes and removes the files of a predecessor that was killed. Its terminals are closed, so the processes
 * that remain ignore hang-ups or have a session of their own. Raw logs stay, because the daemon has yet to read them.
 * Options directories without a process stay too: the daemon writes them before it requests the process, and removes
 * unused ones itself.
 */
async function removeLeftovers(dir: string): Promise<void> {
  const ids = new Set(
    readdirSync(dir).flatMap(name => (/\.(in|stderr|pid)$/.test(name) ? [name.replace(/\.\w+$/, '')] : [])),
  )
  for (const id of ids) {
    const files = processFiles(dir, id)
    await sweep({ ids: [id], shimPid: undefined, seen: readStarted(files)?.seen ?? [] })
    for (const path of [...whileHeld(files), files.started]) rmSync(path, { recursive: true, force: true })
  }
}
