import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './temp-dir.ts'

/**
 * Returns a prompt whose process prints these lines and exits. `speed`: at 1 it waits 20 ms after each line, divided by
 * `MUXD_SIMULATOR_SPEED` (100 in a test daemon); at 0 it does not wait.
 */
export function printing(lines: readonly (object | string)[], speed = 0): string {
  const file = join(tempDir(), 'recording.jsonl')
  writeFileSync(file, lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return `sim:replay recording=${file} speed=${speed}`
}

/** Returns a prompt whose process prints these lines and then continues to print for a long time. */
export const goingOn = (lines: readonly (object | string)[]) =>
  printing(
    [...lines, ...Array.from({ length: 5_000 }, () => ({ type: 'system', subtype: 'status', status: null }))],
    0.002,
  )
