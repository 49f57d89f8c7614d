import { spawnSync } from 'node:child_process'
import { test as vitestTest } from 'vitest'

const { stdout } = spawnSync(process.env['MUXD_TEST_CLAUDE_BIN'] ?? 'false', ['--version'], { encoding: 'utf8' })
const parts = (version: string) => version.split('.').map(Number)
const [major = 0, minor = 0, patch = 0] = parts(/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '0.0.0')

/** Whether the Claude Code under test is newer than `version`. */
export function isNewerThan(version: string): boolean {
  const [otherMajor = 0, otherMinor = 0, otherPatch = 0] = parts(version)
  return (major - otherMajor || minor - otherMinor || patch - otherPatch) > 0
}

/**
 * Defines a test of what Claude Code does only in versions after `version`. An older version skips the test and prints
 * `without`, which says what that version does instead.
 */
export function testAfter(version: string, without: string) {
  const isOld = !isNewerThan(version)
  if (isOld) console.log(`SKIPPED with Claude Code ${major}.${minor}.${patch}: ${without}`)
  const define = vitestTest
  return define.skipIf(isOld)
}
