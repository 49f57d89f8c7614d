import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ProcessFiles } from './process-files.ts'

/** A file of a process as it is read. */
export interface KeptFile {
  /** Reads up to `length` bytes from `position` on; answers how many there were. */
  read(into: Buffer, length: number, position: number): number
  sizeBytes(): number
  close(): void
}

/** Throws where it is missing. */
export function openKeptFile(files: ProcessFiles, kind: 'raw' | 'times' | 'err'): KeptFile {
  const fd = openSync(files[kind], 'r')
  return {
    read: (into, length, position) => readSync(fd, into, 0, length, position),
    sizeBytes: () => fstatSync(fd).size,
    close: () => closeSync(fd),
  }
}

/** Undefined where it is missing. */
export const openIfKept = (files: ProcessFiles, kind: 'raw' | 'times' | 'err'): KeptFile | undefined =>
  existsSync(files[kind]) ? openKeptFile(files, kind) : undefined

/** Whether anything that the process printed can be read. */
export const isKept = (files: ProcessFiles): boolean => existsSync(files.raw)
