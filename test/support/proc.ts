import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { until } from './until.ts'

/** Whether the system has /proc. Tests that need it are skipped elsewhere. */
export const hasProc = process.platform === 'linux'

const stat = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')

/** Returns user and system time in seconds. */
function cpuSeconds(pid: number): number {
  const fields = stat(pid)
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export const residentBytes = (pid: number): number => Number(stat(pid)[21]) * 4096

/** Resolves when the process has used no CPU time between two polls, 200 ms apart. */
export async function untilIdle(pid: number): Promise<void> {
  let before = -1
  await until(
    () => {
      const now = cpuSeconds(pid)
      const same = now === before
      before = now
      expect(same).toBe(true)
    },
    { timeout: 10_000, interval: 200 },
  )
}
