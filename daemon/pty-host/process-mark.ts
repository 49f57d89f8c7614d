import { type ProcessEntry, readIfThere } from '../os/process-list.ts'

/**
 * In the environment of every process that a held one has started, also in a session of its own: by it they are found,
 * exactly. Its value is the process's id.
 */
export const processMarker = 'MUXD_PROCESS'

/** The held process that a process belongs to; undefined also where environments cannot be read. */
export function markOf(pid: number): string | undefined {
  return markIn(readIfThere(`/proc/${pid}/environ`))
}

/**
 * The same, or that it cannot be seen now: in the middle of an `exec` a process has neither environment nor arguments for a
 * moment. Threads of the kernel, whose parent is 2, never have any.
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
