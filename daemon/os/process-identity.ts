import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { identityOf } from './left-process.ts'

/**
 * Tells a live process from every other that has had or will have its number: when it was started, in the kernel's own
 * measure, and where its number counts (on Linux the machine and the PID namespace). Elsewhere the second of its start,
 * as `ps` tells it.
 */
export interface ProcessIdentity {
  pid: number
  started: string
  domain: string
}

/** Undefined for a process that is no more, or only waits to be reaped. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? startedByProc(pid) : await startedByPs(pid)
  return started === undefined ? undefined : { pid, started, domain: pidDomain() }
}

/** Whether that very process lives. One whose number counts elsewhere (in another container) cannot be seen: false. */
export async function isLive(identity: ProcessIdentity): Promise<boolean> {
  return isLocal(identity) && (await identify(identity.pid))?.started === identity.started
}

/** Whether its number counts here, so that one can see whether it lives. */
export const isLocal = ({ domain }: ProcessIdentity): boolean => domain === pidDomain()

/** In the form in which Claude Code names it too. */
function pidDomain(): string {
  if (process.platform !== 'linux') return process.platform
  try {
    const machine = readFileSync('/etc/machine-id', 'utf8').trim()
    return `linux:${machine}:${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return 'linux'
  }
}

/** What tells these processes from others that have or had their pids, over a start of the machine too; those that are no more are left out. */
export function identitiesOf(pids: readonly number[]): Map<number, string> {
  const starts = process.platform === 'linux' ? pids.map(pid => [pid, startedByProc(pid)] as const) : startsByPs(pids)
  return new Map(starts.flatMap(([pid, started]) => (started === undefined ? [] : [[pid, identityOf({ started })]])))
}

function startsByPs(pids: readonly number[]): [number, string][] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,stat=,lstart=', '-p', pids.join(',')], { encoding: 'utf8' })
  return stdout.split('\n').flatMap(line => {
    const [pid, state = '', ...started] = line.trim().split(/\s+/)
    return started.length === 0 || state.startsWith('Z') ? [] : [[Number(pid), started.join(' ')]]
  })
}

function startedByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before these fields may hold anything, also ")".
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

async function startedByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=,stat=', '-p', String(pid)])
    const [, started, state = ''] = /^(.*\d{4})\s+(\S+)\s*$/.exec(stdout.trim()) ?? []
    return state.startsWith('Z') ? undefined : started
  } catch {
    return undefined
  }
}
