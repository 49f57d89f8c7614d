import { join } from 'node:path'

/** The paths of the files of a process, all named after it. */
export interface ProcessFiles {
  /** `<dir>/<id>`, the prefix of the other paths. */
  base: string
  /** Raw log: the output of the process. Kept. */
  raw: string
  /** Times and checksums of the raw log (`raw-chunks.ts`). Kept. */
  times: string
  /** The end of its stderr. Kept. */
  err: string
  /** The three files above as earlier versions compressed them. Removed, never read. */
  pack: string
  /** FIFO of its stdin. Exists until the process is released. */
  in: string
  /** FIFO of its stderr. Exists until the process is released. */
  stderr: string
  /** Its pid. Exists until the process is released. */
  pid: string
  /** Notes on the processes that it has started. Exists until those are ended or left running. */
  started: string
  /** Directory of the files that its command line names. Exists until the process is released. */
  options: string
  /** Directory for its temporary files. Exists until the end of the process has been read. */
  tmp: string
}

export function processFiles(dir: string, id: string): ProcessFiles {
  const base = join(dir, id)
  return {
    base,
    raw: `${base}.raw`,
    times: `${base}.times`,
    err: `${base}.err`,
    pack: `${base}.pack`,
    in: `${base}.in`,
    stderr: `${base}.stderr`,
    pid: `${base}.pid`,
    started: `${base}.started`,
    options: `${base}.options`,
    tmp: `${base}.tmp`,
  }
}

/** The files of a process that its release removes. */
export const whileHeld = ({ in: input, stderr, pid, options }: ProcessFiles): string[] => [input, stderr, pid, options]

/** The directories to remove when a process has ended: its option files, and the `TMPDIR` of an earlier version. */
export function processDirectories(dir: string, id: string): string[] {
  const { tmp, options } = processFiles(dir, id)
  return [tmp, options]
}
