import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from './temp-dir.ts'

/** A prompt whose process prints these lines and ends. `speed`: 1 is 20 ms a line. */
export function printing(lines: readonly (object | string)[], speed = 0): string {
  const file = join(tempDir(), 'recording.jsonl')
  writeFileSync(file, lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return `sim:replay recording=${file} speed=${speed}`
}

/** The same, of a process that goes on printing for long behind these lines. */
export const goingOn = (lines: readonly (object | string)[]) =>
  printing(
    [...lines, ...Array.from({ length: 5_000 }, () => ({ type: 'system', subtype: 'status', status: null }))],
    0.002,
  )
