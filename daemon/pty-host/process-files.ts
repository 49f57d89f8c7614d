import { join } from 'node:path'

/** The files of a process, all named after it. */
export interface ProcessFiles {
  /** `<dir>/<id>`, what the names of the others begin with. */
  base: string
  /** What it printed: kept. */
  raw: string
  /** When it printed it: kept. */
  times: string
  /** The end of its stderr: kept. */
  err: string
  /** These three as earlier versions compressed them: removed, never read. */
  pack: string
  /** FIFO, its stdin: until it is released. */
  in: string
  /** FIFO, its stderr: until it is released. */
  stderr: string
  /** Its pid: until it is released. */
  pid: string
  /** What is known of the processes that it has started: until those are ended or left. */
  started: string
  /** Directory of files that its command line names: until it is released. */
  options: string
  /** Directory for its temporary files: until its end has been read. */
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

/** The files of a process that go when it is released. */
export const whileHeld = ({ in: input, stderr, pid, options }: ProcessFiles): string[] => [input, stderr, pid, options]
