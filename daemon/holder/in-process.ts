import { readdirSync, rmSync } from 'node:fs'
import type { Log } from '../log.ts'
import { type OwnProcess, startHeldProcess } from './held-process.ts'
import { type Holder, type ProcessSpec, SpawnFailed } from './holder.ts'
import { processFiles, whileHeld } from './process-files.ts'
import { sweep } from './sweep.ts'

export interface InProcessHolderOptions {
  /** Where the processes' files are; it exists, and no other holder uses it at the same time. */
  dir: string
  log?: Log
}

export interface InProcessHolder extends Holder {
  start(spec: ProcessSpec): Promise<OwnProcess>
  list(): OwnProcess[]
}

/** A holder in this process: the end of this process is the end of what it holds. */
export function createInProcessHolder({ dir, log }: InProcessHolderOptions): InProcessHolder {
  const held = new Map<string, OwnProcess>()
  const starting = new Set<Promise<OwnProcess>>()
  const ready = removeLeftovers(dir)
  // Reported by `start`.
  ready.catch(() => {})
  let closing: Promise<void> | undefined

  const start = async (spec: ProcessSpec) => {
    try {
      await ready
    } catch (error) {
      throw new SpawnFailed(`the directory ${dir} cannot be used`, { cause: error })
    }
    if (closing) throw new SpawnFailed('the holder has been closed')
    const process = await startHeldProcess(dir, spec, log, () => held.delete(spec.id))
    held.set(process.id, process)
    return process
  }

  const close = async () => {
    // What a predecessor left is ended before this one is gone.
    await Promise.allSettled([ready, ...starting])
    await Promise.all(
      [...held.values()].map(async process => {
        await process.kill()
        await process.release()
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
    close: () => (closing ??= close()),
  }
}

/**
 * Ends and removes what a predecessor could not, because it was killed. Its terminals are gone, so what is left of its
 * processes ignores hang-ups or has a session of its own. Raw logs stay: they have yet to be read. Options without a
 * process stay too: the daemon writes them before it asks for the process, and removes those of no process itself.
 */
async function removeLeftovers(dir: string): Promise<void> {
  const ids = new Set(
    readdirSync(dir).flatMap(name => (/\.(in|stderr|pid)$/.test(name) ? [name.replace(/\.\w+$/, '')] : [])),
  )
  for (const id of ids) {
    await sweep({ id, shimPid: undefined })
    for (const path of whileHeld(processFiles(dir, id))) rmSync(path, { recursive: true, force: true })
  }
}
