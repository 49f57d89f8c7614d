import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

export interface ProcessEntry {
  pid: number
  parent: number
  /** On Linux the session, elsewhere the process group. A shim leads both. */
  session: number
  /** When it was started: on Linux in ticks since the boot; elsewhere to the second, as `ps` reports it. */
  started: string
}

/** Lists the processes that run now, without zombies. */
export const listProcesses = async (): Promise<ProcessEntry[]> =>
  process.platform === 'linux' ? listByProc() : await listByPs()

/** Returns the entry of a process; undefined if it has ended or is a zombie. */
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
  // The process name before these fields may contain any character, including ")".
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, , session] = fields
  if (state === 'Z' || state === 'X') return undefined
  return { pid, parent: Number(parent), session: Number(session), started: fields[19]! }
}

/** Lists processes on systems without /proc. Exported for its test. */
export async function listByPs(): Promise<ProcessEntry[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart='])
  return stdout.split('\n').flatMap(line => {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/)
    return state && !state.startsWith('Z')
      ? [{ pid: Number(pid), parent: Number(parent), session: Number(group), started: started.join(' ') }]
      : []
  })
}

/** Returns the pids of the descendants of `roots`, without the roots. */
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

/** Returns the content of a file; undefined if it cannot be read: the process has ended or belongs to another user. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
