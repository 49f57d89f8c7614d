import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'
import { identityOf } from './left-process.ts'

/** Distinguishes a process from every other process that has had or will have its pid. */
export interface ProcessIdentity {
  pid: number
  /** When it was started: on Linux in ticks since the boot; elsewhere to the second, as `ps` reports it. */
  started: string
  /** Where the pid is valid: on Linux the machine and the PID namespace; elsewhere the name of the platform. */
  domain: string
}

/** Returns the identity of a process; undefined if it has ended or is a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? startedByProc(pid) : await startedByPs(pid)
  return started === undefined ? undefined : { pid, started, domain: pidDomain() }
}

/** Whether that process is alive. False if its pid belongs to another domain, such as another container. */
export async function isLive(identity: ProcessIdentity): Promise<boolean> {
  return isLocal(identity) && (await identify(identity.pid))?.started === identity.started
}

/** Whether its pid belongs to this domain, so that `isLive` can check it. */
export const isLocal = ({ domain }: ProcessIdentity): boolean => domain === pidDomain()

/** Returns the domain of this process, in the form that Claude Code uses too. */
function pidDomain(): string {
  if (process.platform !== 'linux') return process.platform
  try {
    const machine = readFileSync('/etc/machine-id', 'utf8').trim()
    return `linux:${machine}:${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return 'linux'
  }
}

/**
 * Returns for each process a text that distinguishes it from other processes with the same pid, even after a restart of
 * the machine. Leaves out processes that have ended.
 */
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
    // The process name before these fields may contain any character, including ")".
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
