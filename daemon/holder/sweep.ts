import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/**
 * In the environment of every process that a held one has started, also in a session of its own: by it they are found,
 * exactly. Its value is the process's id.
 */
export const processMarker = 'MUXD_PROCESS'

export interface SweepTarget {
  id: string
  /** The shim, which is spared; undefined when it is gone. What descends from it or is in its session is swept too. */
  shimPid: number | undefined
}

const deadlineMs = 2_000
const roundMs = 5

/**
 * SIGKILL to everything a process has started, until nothing is left of it (a process may start another while it is
 * being looked for). Resolves with the pids that are still there after two seconds: none, unless the kernel holds them.
 */
export async function sweep(target: SweepTarget): Promise<number[]> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const found = await findLeftovers(target)
    if (found.length === 0 || Date.now() > deadline) return found
    for (const pid of found) signalIfThere(pid, 'SIGKILL')
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
export async function killIfOurs(pid: number, target: SweepTarget): Promise<void> {
  const entry = process.platform === 'linux' ? readEntry(pid) : (await listByPs()).find(other => other.pid === pid)
  if (entry && isOurs(entry, target, new Set())) signalIfThere(pid, 'SIGKILL')
}

async function findLeftovers(target: SweepTarget): Promise<number[]> {
  const processes = process.platform === 'linux' ? listByProc() : await listByPs()
  const descendants = descendantsOf(target.shimPid, processes)
  return processes.filter(entry => isOurs(entry, target, descendants)).map(({ pid }) => pid)
}

function isOurs({ pid, session }: ProcessEntry, { id, shimPid }: SweepTarget, descendants: Set<number>): boolean {
  if (pid === shimPid || pid === process.pid) return false
  return descendants.has(pid) || (shimPid !== undefined && session === shimPid) || isMarked(pid, id)
}

interface ProcessEntry {
  pid: number
  parent: number
  /** Linux: the session; elsewhere the process group. A shim leads both. */
  session: number
}

function listByProc(): ProcessEntry[] {
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name)
    return pid > 0 ? (readEntry(pid) ?? []) : []
  })
}

/** Undefined for a process that is gone or only waits to be reaped. */
function readEntry(pid: number): ProcessEntry | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)?.toString('latin1')
  if (stat === undefined) return undefined
  // The name before these fields may hold anything, also ")".
  const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), session: Number(session) }
}

/** Where there is no /proc. Exported for its test. */
export async function listByPs(): Promise<ProcessEntry[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='])
  return stdout.split('\n').flatMap(line => {
    const [pid, parent, group, state] = line.trim().split(/\s+/)
    return state && !state.startsWith('Z') ? [{ pid: Number(pid), parent: Number(parent), session: Number(group) }] : []
  })
}

function descendantsOf(root: number | undefined, processes: ProcessEntry[]): Set<number> {
  const found = new Set<number>()
  if (root === undefined) return found
  const parents = new Set([root])
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { pid, parent } of processes) {
      if (!parents.has(parent)) continue
      parents.add(pid)
      found.add(pid)
    }
  }
  return found
}

/** The held process that a process belongs to; undefined also where environments cannot be read. */
export function markOf(pid: number): string | undefined {
  const environ = readIfThere(`/proc/${pid}/environ`)?.toString('latin1').split('\0')
  return environ?.find(entry => entry.startsWith(`${processMarker}=`))?.slice(processMarker.length + 1)
}

function isMarked(pid: number, id: string): boolean {
  const environ = readIfThere(`/proc/${pid}/environ`)
  if (!environ) return false
  const marker = `${processMarker}=${id}\0`
  return environ.indexOf(marker) === 0 || environ.includes(`\0${marker}`)
}

// Gone meanwhile, or somebody else's: no leftover of ours.
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
