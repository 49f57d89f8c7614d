import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { until } from '../../support/until.ts'

/** Facts about a process that only Linux tells in a file; tests that need them are skipped elsewhere. */
export const hasProc = process.platform === 'linux'

const stat = (pid: number) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')

/** User and system time so far. */
function cpuSeconds(pid: number): number {
  const fields = stat(pid)
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export const residentBytes = (pid: number): number => Number(stat(pid)[21]) * 4096

/** Resolves when the process has stopped working: it waits for something. */
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
