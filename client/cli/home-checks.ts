import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { readDaemonInfo } from '../sdk/index.ts'
import { oneLine } from './render/text.ts'

/** What `muxd doctor` says of one thing. */
export interface Finding {
  ok: boolean
  detail: string
  /** What to do about it. */
  fix?: string
}

/** Whether the home's lock is as it should be: held by the daemon that answers, free where none does. */
export async function checkLock(home: string, doesDaemonAnswer: boolean): Promise<Finding> {
  const file = join(home, 'lock')
  if (!existsSync(file)) return { ok: true, detail: 'not there yet; the daemon makes it' }
  const problem = readProblem(file)
  const isHeld = problem?.code.startsWith('SQLITE_BUSY') ?? false
  if (problem && !isHeld)
    return { ok: false, detail: `${file} cannot be read: ${problem.message}`, fix: 'stop the daemon and remove it' }
  if (doesDaemonAnswer)
    return isHeld
      ? { ok: true, detail: 'held by the running daemon' }
      : {
          ok: false,
          detail: 'not held by the daemon that runs: another one could start beside it',
          fix: 'muxd restart',
        }
  if (!isHeld) return { ok: true, detail: 'free' }
  const { pid } = (await readDaemonInfo(home)) ?? {}
  return {
    ok: false,
    detail: `held by a daemon that does not answer${pid === undefined ? '' : ` (pid ${pid})`}`,
    fix: 'it may be starting or stopping; otherwise see muxd logs, and end that process',
  }
}

/**
 * Whether the database can be read. Opened read-only and for a moment: a daemon that has it open is not disturbed, for
 * readers of a database with a write-ahead log do not lock out its writer.
 */
export function checkDatabase(home: string): Finding {
  const file = join(home, 'muxd.db')
  if (!existsSync(file)) return { ok: true, detail: 'not there yet; the daemon makes it' }
  const problem = readProblem(file)
  if (!problem) return { ok: true, detail: `${file} can be read` }
  return {
    ok: false,
    detail: `${file} cannot be read: ${problem.message} (${problem.code})`,
    fix: 'put a copy of it in its place, or move it away to begin with an empty one',
  }
}

/** Undefined where the file is a database that can be read now. */
function readProblem(file: string): { code: string; message: string } | undefined {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3') as DatabaseClass
    const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 })
    try {
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      return undefined
    } finally {
      database.close()
    }
  } catch (error) {
    const { code = 'error', message } = error as { code?: string; message: string }
    return { code, message: oneLine(message).slice(0, 200) }
  }
}

type DatabaseClass = new (
  file: string,
  options: { readonly: true; fileMustExist: true; timeout: number },
) => { prepare(sql: string): { get(): unknown }; close(): void }
