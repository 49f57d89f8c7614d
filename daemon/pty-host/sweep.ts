import { setTimeout as delay } from 'node:timers/promises'
import { descendantsOf, findProcess, listProcesses, type ProcessEntry } from '../os/process-list.ts'
import { lookForMark, markOf } from './process-mark.ts'
import type { Seen } from './started-processes.ts'

export interface SweepTarget {
  /** Targets processes with the mark of one of these ids. */
  ids: readonly string[]
  /**
   * Targets the descendants of the shim and the processes in its session, not the shim. Undefined if the shim is gone.
   */
  shimPid: number | undefined
  /** Targets processes that were seen before (same pid and start) and their descendants. */
  seen?: readonly Seen[]
  /** Pids that are never killed. Neither are their descendants, unless another criterion applies to them. */
  spared?: readonly number[]
  /** Spares processes in a session other than this one: they were detached on purpose. */
  onlySession?: number
}

export interface Swept {
  /** Processes that were spared because they are in another session. */
  left: ProcessEntry[]
  /** Pids of targets that are left when the sweep gives up: held by the kernel, or started without end by others. */
  stuck: number[]
}

/** The sweep gives up when all remaining targets have survived SIGKILL for this time: only the kernel can hold them. */
const deadlineMs = 2_000
/** The sweep gives up after this time: a process may start others as fast as they are killed. */
const endlessMs = 20_000
const roundMs = 5
/** How long the sweep looks again for a mark: during an `exec` a process has no environment for a moment. */
const execMs = 200

/** Sends SIGKILL to all targets until none is left. Repeats, because a process may start another during the search. */
export async function sweep(target: SweepTarget): Promise<Swept> {
  const begun = Date.now()
  const signalledAt = new Map<number, number>()
  for (;;) {
    const { found, isUnsure } = await findMeant(target)
    const isSpared = ({ session }: ProcessEntry) => target.onlySession !== undefined && session !== target.onlySession
    const doomed = found.filter(entry => !isSpared(entry)).map(({ pid }) => pid)
    const now = Date.now()
    const isStuck = doomed.every(pid => now - (signalledAt.get(pid) ?? now) > deadlineMs) || now - begun > endlessMs
    const isUnclear = isUnsure && now - begun <= execMs
    if (isStuck && !(doomed.length === 0 && isUnclear)) return { left: found.filter(isSpared), stuck: doomed }
    for (const pid of doomed) {
      signalIfThere(pid, 'SIGKILL')
      if (!signalledAt.has(pid)) signalledAt.set(pid, now)
    }
    await delay(roundMs)
  }
}

/** Signals a process, or with a negative pid a process group. Succeeds if it is gone already. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // EPERM: the process now runs as another user (sudo), or is a zombie on macOS.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Sends SIGKILL to one process if it belongs to the held process, and is not a later process with the same pid. */
export async function killIfOurs(pid: number, { id, shimPid }: { id: string; shimPid: number }): Promise<void> {
  const entry = await findProcess(pid)
  if (entry && pid !== process.pid && (entry.session === shimPid || markOf(pid) === id)) signalIfThere(pid, 'SIGKILL')
}

async function findMeant({ ids, shimPid, seen = [], spared = [] }: SweepTarget) {
  const processes = (await listProcesses()).filter(({ pid }) => pid !== process.pid && !spared.includes(pid))
  const marks = new Set(ids)
  const starts = new Map(seen.map(({ pid, started }) => [pid, started]))
  const unsure: number[] = []
  const isMeant = (entry: ProcessEntry) => {
    if (shimPid !== undefined && entry.session === shimPid) return true
    if (starts.get(entry.pid) === entry.started) return true
    const { mark, isUnsure } = lookForMark(entry)
    if (isUnsure) unsure.push(entry.pid)
    return mark !== undefined && marks.has(mark)
  }
  const roots = processes.filter(isMeant).map(({ pid }) => pid)
  const meant = descendantsOf(shimPid === undefined ? roots : [shimPid, ...roots], processes)
  for (const pid of roots) meant.add(pid)
  return {
    found: processes.filter(({ pid }) => pid !== shimPid && meant.has(pid)),
    isUnsure: unsure.some(pid => !meant.has(pid)),
  }
}
