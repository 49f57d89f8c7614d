/** Maps the code of a system error to what it means for a person and what to do about it. */
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

/** Returns the meaning of a code such as `EMFILE`, followed by the code; undefined for an unknown code. */
export function meaningOf(code: string | undefined): string | undefined {
  return code !== undefined && code in meanings ? `${meanings[code]} (${code})` : undefined
}

/** Returns one sentence for a system error with a known code; undefined for every other error. */
export function systemProblem(error: unknown): string | undefined {
  const meaning = meaningOf(codeOf(error))
  if (meaning === undefined) return undefined
  const { path } = error as NodeJS.ErrnoException
  return path === undefined ? meaning : `${path}: ${meaning}`
}

/** Whether an error of `fs` says that there is no room, on the disk or in the user's quota. */
export function isNoSpace(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}
