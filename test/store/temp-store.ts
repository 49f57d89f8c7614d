import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openStore, type StoreOptions } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Creates a store in its own directory, closed and removed after the test. Without ballast by default. */
export function tempStore(options: StoreOptions = { ballastBytes: 0 }): { store: Store; file: string } {
  const file = join(tempDir(), 'muxd.db')
  return { store: reopen(file, options), file }
}

/** Opens a store that is closed after the test. */
export function reopen(file: string, options: StoreOptions = { ballastBytes: 0 }): Store {
  const store = openStore(file, options)
  onTestFinished(() => store.close())
  return store
}
