import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Returns an id that changes with each start of the machine; undefined if the system reports none. */
export function bootId(): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    if (process.platform !== 'darwin') return undefined
    return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}
