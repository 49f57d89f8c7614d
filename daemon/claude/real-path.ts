import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Where a path leads when links are followed, also one at whose end nothing is yet. One that is too long leads nowhere. */
export function realPath(path: string, links = 40): string {
  if (path.length > longestPath) return path
  try {
    return realpathSync.native(path)
  } catch {
    const target = targetOf(path)
    if (target !== undefined && links > 0) return realPath(resolve(dirname(path), target), links - 1)
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent, links), basename(path))
  }
}

const longestPath = 4_096

/** Of a link that leads to nothing: what is written there is written elsewhere. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
