import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new directory, mode 0700, that is gone after the test. For use inside a test or `beforeEach`. */
export function tempDir(): string {
  const directory = createTempDir()
  onTestFinished(() => directory.remove())
  return directory.path
}

/** The same where there is no single test to end it (`beforeAll`, fixtures): the caller removes it. */
export function createTempDir(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'muxd-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
