import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nanoid } from 'nanoid'

/** Tells this program from any other that was built: the same file, the same id. Run from its sources it is like no other. */
export function buildId(): string {
  if (import.meta.url.endsWith('.ts')) return nanoid()
  return createHash('sha256')
    .update(readFileSync(new URL(import.meta.url)))
    .digest('base64url')
}
