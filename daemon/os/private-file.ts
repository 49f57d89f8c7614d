import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * Returns the content of a JSON file; undefined only if the file does not exist. Throws an error that names the file if
 * it exists and cannot be read or parsed: unreadable content must not count as absent.
 */
export function readJson(file: string): unknown {
  // A link without a target counts as an existing file.
  if (!lstatSync(file, { throwIfNoEntry: false })) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** Writes a JSON file atomically and synced, with mode 0600 from its creation on. */
export function writePrivately(file: string, value: object): void {
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, file)
}
