/** What an error of the system means for a person, and what to do about it. */
const meanings: Record<string, string> = {
  EMFILE: 'this process has too many files open: raise its limit (ulimit -n)',
  ENFILE: 'the system has too many files open: close some programs',
  ENOMEM: 'there is not enough memory: close some programs',
  EIO: 'the disk reports an error: check the disk and the kernel log',
  EACCES: 'permission denied: check the owner and the mode of the path',
  EPERM: 'permission denied: check the owner and the mode of the path',
  EROFS: 'the file system is read-only: mount it for writing, or choose another home with --home',
  ENOSPC: 'the disk is full: remove files, or choose another home with --home',
  EDQUOT: 'the disk quota is used up: remove files, or choose another home with --home',
  ENOTDIR: 'a part of the path is a file, expected a directory',
  EEXIST: 'it is a file, expected a directory',
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The meaning of a code such as `EMFILE`, with the code; undefined for one that has none here. */
export function meaningOf(code: string | undefined): string | undefined {
  return code !== undefined && code in meanings ? `${meanings[code]} (${code})` : undefined
}

/** One sentence for an error of the system; undefined for every other error. */
export function systemProblem(error: unknown): string | undefined {
  const meaning = meaningOf(codeOf(error))
  if (meaning === undefined) return undefined
  const { path } = error as NodeJS.ErrnoException
  return path === undefined ? meaning : `${path}: ${meaning}`
}
