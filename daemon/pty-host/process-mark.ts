import { type ProcessEntry, readIfThere } from '../os/process-list.ts'

/**
 * The environment variable that marks a held process and every process that it starts, including those in a session of
 * their own. Its value is the id of the held process.
 */
export const processMarker = 'MUXD_PROCESS'

/** Returns the id of the held process that `pid` belongs to; undefined if none or if its environment is unreadable. */
export function markOf(pid: number): string | undefined {
  return markIn(readIfThere(`/proc/${pid}/environ`))
}

/**
 * Returns the mark of a process as `markOf` does, and whether it may have a mark that is not visible now: during an
 * `exec` a process has neither environment nor arguments for a moment. Kernel threads, whose parent is 2, never have
 * any.
 */
export function lookForMark({ pid, parent }: ProcessEntry): { mark: string | undefined; isUnsure: boolean } {
  const environ = readIfThere(`/proc/${pid}/environ`)
  const isUnsure =
    environ?.length === 0 && pid !== 2 && parent !== 2 && readIfThere(`/proc/${pid}/cmdline`)?.length === 0
  return { mark: markIn(environ), isUnsure }
}

const prefix = Buffer.from(`${processMarker}=`)

function markIn(environ: Buffer | undefined): string | undefined {
  for (let at = environ?.indexOf(prefix) ?? -1; environ && at >= 0; at = environ.indexOf(prefix, at + 1)) {
    if (at > 0 && environ[at - 1] !== 0) continue
    const end = environ.indexOf(0, at)
    return environ.toString('latin1', at + prefix.length, end < 0 ? environ.length : end)
  }
  return undefined
}
