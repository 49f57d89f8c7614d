import { open } from 'node:fs/promises'
import { processFiles } from './process-files.ts'

/** Syncs the bytes that were appended to a process's raw log before the call. Succeeds if the log is gone. */
export async function syncRawLog(dir: string, id: string): Promise<void> {
  const files = processFiles(dir, id)
  await Promise.all([files.raw, files.times].map(syncFile))
}

async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'r')
    await file.datasync().finally(() => file.close())
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
