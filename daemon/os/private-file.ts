import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/**
 * The content of a JSON file; undefined only where the file does not exist. Throws an error that names the file when it
 * exists and cannot be read: what it holds must not pass for absent.
 */
export function readJson(file: string): unknown {
  // A link whose target is missing exists.
  if (!lstatSync(file, { throwIfNoEntry: false })) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** Whole or not at all, and never readable by others, not even for a moment. */
export function writePrivately(file: string, value: object): void {
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, file)
}
