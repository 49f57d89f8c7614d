import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ProcessFiles } from './process-files.ts'

/** A file of a process, open for reading. */
export interface KeptFile {
  /** Reads up to `length` bytes from `position` into `into`; returns the number of bytes read. */
  read(into: Buffer, length: number, position: number): number
  sizeBytes(): number
  close(): void
}

/** Throws if the file is missing. */
export function openKeptFile(files: ProcessFiles, kind: 'raw' | 'times' | 'err'): KeptFile {
  const fd = openSync(files[kind], 'r')
  return {
    read: (into, length, position) => readSync(fd, into, 0, length, position),
    sizeBytes: () => fstatSync(fd).size,
    close: () => closeSync(fd),
  }
}

/** Returns undefined if the file is missing. */
export const openIfKept = (files: ProcessFiles, kind: 'raw' | 'times' | 'err'): KeptFile | undefined =>
  existsSync(files[kind]) ? openKeptFile(files, kind) : undefined

/** Whether the raw log of the process exists. */
export const isKept = (files: ProcessFiles): boolean => existsSync(files.raw)
