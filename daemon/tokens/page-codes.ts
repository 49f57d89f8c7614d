import { nanoid } from 'nanoid'
import type { Role } from '../../protocol/index.ts'
import type { Limits } from '../../protocol/limits.ts'
import { findBySecret, hashOf } from './known-tokens.ts'

/**
 * Codes behind the `#` of a link to the page, a part that browsers do not send. Each is valid once, for
 * `pageCodeLifeMs`, and in memory only: a restarted daemon knows none.
 */
export interface PageCodes {
  make(role: Role): { code: string; expiresAt: number }
  /** Returns the role of the code and uses the code up; undefined if it is unknown, was used, or has expired. */
  redeem(code: string): Role | undefined
}

export function createPageCodes(
  limits: Pick<Limits, 'pageCodeLifeMs' | 'maxPageCodes'>,
  now: () => number = Date.now,
): PageCodes {
  // Oldest first.
  let open: { hash: string; role: Role; expiresAt: number }[] = []
  const dropOld = () => void (open = open.filter(({ expiresAt }) => expiresAt > now()))

  return {
    make(role) {
      dropOld()
      const code = nanoid(32)
      const expiresAt = now() + limits.pageCodeLifeMs
      open = [...open, { hash: hashOf(code), role, expiresAt }].slice(-limits.maxPageCodes)
      return { code, expiresAt }
    },
    redeem(code) {
      dropOld()
      const found = findBySecret(open, code)
      open = open.filter(each => each !== found)
      return found?.role
    },
  }
}
