import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Names the time since the machine was started; undefined where it cannot be told. */
export function bootId(): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    if (process.platform !== 'darwin') return undefined
    return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}
