import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nanoid } from 'nanoid'

/** Returns an id of this build: a hash of the program file. A program that runs from its sources gets a random id. */
export function buildId(): string {
  if (import.meta.url.endsWith('.ts')) return nanoid()
  return createHash('sha256')
    .update(readFileSync(new URL(import.meta.url)))
    .digest('base64url')
}
