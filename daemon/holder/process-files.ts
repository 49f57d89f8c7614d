import { join } from 'node:path'

/** The files of a process, all named after it. */
export interface ProcessFiles {
  /** `<dir>/<id>`, what the names of the others begin with. */
  base: string
  /** What it printed: kept. */
  raw: string
  /** When it printed it: kept. */
  times: string
  /** Its stderr: kept. */
  err: string
  /** These three as earlier versions compressed them: removed, never read. */
  pack: string
  /** FIFO, its stdin: until it is released. */
  in: string
  /** Its pid: until it is released. */
  pid: string
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
    pid: `${base}.pid`,
  }
}
