import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Creates a directory, mode 0700, that is removed after the test. For use inside a test or `beforeEach`. */
export function tempDir(): string {
  const directory = createTempDir()
  onTestFinished(() => directory.remove())
  return directory.path
}

/** Creates a directory where no single test can remove it (`beforeAll`, fixtures): the caller calls `remove`. */
export function createTempDir(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'muxd-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
