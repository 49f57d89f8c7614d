import { setTimeout as delay } from 'node:timers/promises'
import { descendantsOf, findProcess, listProcesses, type ProcessEntry } from '../os/process-list.ts'
import { lookForMark, markOf } from './process-mark.ts'
import type { Seen } from './started-processes.ts'

export interface SweepTarget {
  /** Processes with the mark of one of these are meant. */
  ids: readonly string[]
  /** The shim, which is spared; undefined when it is gone. What descends from it or is in its session is meant too. */
  shimPid: number | undefined
  /** Processes that were seen before, by number and start, and what descends from them. */
  seen?: readonly Seen[]
  /** Never ended, whatever started them, and what descends from them. */
  spared?: readonly number[]
  /** Leaves what is in a session other than this one: it was detached on purpose. */
  onlySession?: number
}

export interface Swept {
  /** What was left, because it is in another session. */
  left: ProcessEntry[]
  /** What does not go away within two seconds of its SIGKILL: nothing, unless the kernel holds it. */
  stuck: number[]
}

const deadlineMs = 2_000
/** Something may start others as fast as they are ended. */
const endlessMs = 20_000
const roundMs = 5
/** During an `exec` a process has no environment for a moment: the sweep looks again for this long to see its mark. */
const execMs = 200

/** SIGKILL to everything that is meant, until nothing is left of it: a process may start another while it is being looked for. */
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

/** To a process, or with a negative pid to a group. One that is gone already is what was wanted. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // EPERM: it has become somebody else's (sudo), or on macOS a zombie.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** SIGKILL to one process, if it (still) is what the held process has started and not another with its number. */
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
