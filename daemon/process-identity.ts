import { execFile } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

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
