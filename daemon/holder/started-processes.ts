import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { limits } from '../../protocol/limits.ts'
import { bootId } from '../store/boot-id.ts'
import { descendantsOf, listProcesses, type ProcessEntry } from './process-list.ts'
import type { ProcessFiles } from './process-files.ts'
import { markOf } from './process-mark.ts'

/** A process that was seen: its number and its start, by which another with that number is told from it. */
export type Seen = Pick<ProcessEntry, 'pid' | 'started'>

/** What is known of the processes that a held process has started. */
export interface Started {
  /** The session of the held process itself (`ProcessEntry.session`). */
  session: number
  seen: readonly Seen[]
}

/**
 * Notes which processes descend from a held one, as long as that can be seen: one whose parent has ended and whose
 * environment lacks the mark belongs to nobody. Kept in a file, for the holder that comes after this one.
 */
export interface StartedProcesses {
  readonly known: Started
  /** Looks now; several calls at once share one look. */
  note(): Promise<void>
  /** The last look, after the end of the shim, also for the mark: where nothing is left, nothing is kept. */
  finish(): Promise<void>
}

/** A look costs some milliseconds; what comes sooner waits so long. */
const pauseMs = 250

/** `shimPid` leads the session of the process `id`; neither it nor what is `spared` is noted. */
export function noteStartedProcesses(
  id: string,
  files: ProcessFiles,
  shimPid: number,
  spared: () => readonly number[],
): StartedProcesses {
  let seen: readonly Seen[] = []
  let running: Promise<void> | undefined
  let again: Promise<void> | undefined

  const look = async (isLast: boolean) => {
    const processes = (await listProcesses()).filter(({ pid }) => pid !== process.pid && !spared().includes(pid))
    const before = new Map(seen.map(({ pid, started }) => [pid, started]))
    const isKnown = ({ pid, started }: ProcessEntry) => before.get(pid) === started || (isLast && markOf(pid) === id)
    const roots = processes.filter(isKnown).map(({ pid }) => pid)
    const found = descendantsOf([shimPid, ...roots], processes)
    for (const pid of roots) found.add(pid)
    const now = processes.filter(({ pid }) => pid !== shimPid && found.has(pid))
    const isNew = now.length !== seen.length || now.some(({ pid, started }) => before.get(pid) !== started)
    if (!isNew) return
    // What is left out is still found by its mark.
    seen = now.slice(0, limits.maxStartedProcesses).map(({ pid, started }) => ({ pid, started }))
    if (seen.length > 0) keep(files, { session: shimPid, seen })
    else forgetStarted(files)
  }
  const lookOnce = () => (running = look(false).finally(() => (running = undefined)))

  return {
    get known() {
      return { session: shimPid, seen }
    },
    note() {
      if (!running) return lookOnce()
      // What is started during a look is in the next one.
      again ??= running
        .then(() => new Promise(resolve => setTimeout(resolve, pauseMs).unref()))
        .then(() => {
          again = undefined
          return lookOnce()
        })
      return running
    },
    async finish() {
      await running
      await look(true)
    },
  }
}

interface Kept extends Started {
  boot: string | undefined
}

/** Of a process that was released; undefined where nothing was left of it, also because the machine was started since. */
export function readStarted(files: ProcessFiles): Started | undefined {
  try {
    const { boot, session, seen } = JSON.parse(readFileSync(files.started, 'utf8')) as Kept
    return boot === bootId() ? { session, seen } : undefined
  } catch {
    return undefined
  }
}

export const forgetStarted = (files: ProcessFiles): void => rmSync(files.started, { force: true })

function keep(files: ProcessFiles, started: Started): void {
  try {
    writeFileSync(files.started, JSON.stringify({ boot: bootId(), ...started } satisfies Kept), { mode: 0o600 })
  } catch {
    // A full disk: the marks tell the next holder of most.
  }
}
