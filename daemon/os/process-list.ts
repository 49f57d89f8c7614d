import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

export interface ProcessEntry {
  pid: number
  parent: number
  /** Linux: the session; elsewhere the process group. A shim leads both. */
  session: number
  /** When it was started: Linux: in ticks since the boot; elsewhere the second, as `ps` tells it. */
  started: string
}

/** The processes that run now, those that only wait to be reaped left out. */
export const listProcesses = async (): Promise<ProcessEntry[]> =>
  process.platform === 'linux' ? listByProc() : await listByPs()

/** Undefined for a process that is gone or only waits to be reaped. */
export const findProcess = async (pid: number): Promise<ProcessEntry | undefined> =>
  process.platform === 'linux' ? readEntry(pid) : (await listByPs()).find(other => other.pid === pid)

function listByProc(): ProcessEntry[] {
  return readdirSync('/proc').flatMap(name => {
    const pid = Number(name)
    return pid > 0 ? (readEntry(pid) ?? []) : []
  })
}

function readEntry(pid: number): ProcessEntry | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`)?.toString('latin1')
  if (stat === undefined) return undefined
  // The name before these fields may hold anything, also ")".
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, , session] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), session: Number(session), started: fields[19]! }
}

/** Where there is no /proc. Exported for its test. */
export async function listByPs(): Promise<ProcessEntry[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart='])
  return stdout.split('\n').flatMap(line => {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/)
    return state && !state.startsWith('Z')
      ? [{ pid: Number(pid), parent: Number(parent), session: Number(group), started: started.join(' ') }]
      : []
  })
}

/** What descends from the processes `roots`, which are not among the answer. */
export function descendantsOf(roots: Iterable<number>, processes: readonly ProcessEntry[]): Set<number> {
  const found = new Set<number>()
  const parents = new Set(roots)
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { pid, parent } of processes) {
      if (!parents.has(parent) || parents.has(pid)) continue
      parents.add(pid)
      found.add(pid)
    }
  }
  return found
}

/** Undefined for a process that is gone, or somebody else's. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
