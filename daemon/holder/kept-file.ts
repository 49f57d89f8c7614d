import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileKind, openPacked } from './pack.ts'
import type { ProcessFiles } from './process-files.ts'

/** A file of a process as it is read, wherever it is kept. */
export interface KeptFile {
  /** Reads up to `length` bytes from `position` on; answers how many there were. */
  read(into: Buffer, length: number, position: number): number
  sizeBytes(): number
  close(): void
}

/** A file of its own or, where the process's files have been packed, that part of the pack. Throws when there is neither. */
export function openKeptFile(files: ProcessFiles, kind: FileKind): KeptFile {
  return existsSync(files.pack) ? openPacked(files.pack, kind) : openPlain(files[kind])
}

/** Undefined where it is missing. */
export function openIfKept(files: ProcessFiles, kind: FileKind): KeptFile | undefined {
  return existsSync(files.pack) || existsSync(files[kind]) ? openKeptFile(files, kind) : undefined
}

/** Whether there is anything to be read of what the process printed. */
export const isKept = (files: ProcessFiles): boolean => existsSync(files.pack) || existsSync(files.raw)

function openPlain(path: string): KeptFile {
  const fd = openSync(path, 'r')
  return {
    read: (into, length, position) => readSync(fd, into, 0, length, position),
    sizeBytes: () => fstatSync(fd).size,
    close: () => closeSync(fd),
  }
}
