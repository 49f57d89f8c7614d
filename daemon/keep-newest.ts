import { limits } from '../protocol/limits.ts'

/** Forgets the oldest entries of a map that a process can make grow. */
export function keepNewest(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= limits.maxRemembered) return
    map.delete(key)
  }
}
