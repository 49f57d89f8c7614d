import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { limits } from '../../protocol/limits.ts'
import { bootId } from '../os/boot-id.ts'
import { descendantsOf, listProcesses, type ProcessEntry } from '../os/process-list.ts'
import type { ProcessFiles } from './process-files.ts'
import { markOf } from './process-mark.ts'

/** A process that was seen. Its start distinguishes it from a later process with the same pid. */
export type Seen = Pick<ProcessEntry, 'pid' | 'started'>

/** The known processes that a held process has started. */
export interface Started {
  /** The session of the held process itself (`ProcessEntry.session`). */
  session: number
  seen: readonly Seen[]
}

/**
 * Notes which processes descend from a held one while their parents are alive. Later only the mark in the environment
 * shows where a process comes from, and some processes clear their environment. A file keeps the notes for the next
 * pty-host.
 */
export interface StartedProcesses {
  readonly known: Started
  /** Looks now. Calls during a look resolve with that look, and share one further look after a pause. */
  note(): Promise<void>
  /** Takes the last look, after the end of the shim. Also finds processes by mark. Removes the file if none is left. */
  finish(): Promise<void>
}

/** The pause between two looks, because a look costs some milliseconds. */
const pauseMs = 250

/** `shimPid` leads the session of the process `id`. Neither it nor the `spared` processes are noted. */
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
    // The sweep finds the processes beyond the limit by their mark.
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
      // A process that starts during a look is found by the next one.
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

/** Reads the notes of a released process. Returns undefined if it left nothing, or the machine was restarted since. */
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
    // The disk may be full. The next pty-host finds most of the processes by their marks.
  }
}
