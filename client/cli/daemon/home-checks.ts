import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readDaemonInfo } from '../../sdk/index.ts'
import { loadDaemonCode } from './daemon-code.ts'
import { oneLine } from '../screen/text.ts'

/** The result of one check of `muxd doctor`. */
export interface Finding {
  ok: boolean
  detail: string
  /** How to solve the problem. */
  fix?: string
}

/** Checks that the home's lock is held by a daemon that answers, or is free if no daemon answers. */
export async function checkLock(home: string, doesDaemonAnswer: boolean): Promise<Finding> {
  const file = join(home, 'lock')
  if (!existsSync(file)) return { ok: true, detail: 'not there yet; the daemon makes it' }
  const problem = await readProblem(file)
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

/** Checks that the database can be read, even while a daemon has it open. */
export async function checkDatabase(home: string): Promise<Finding> {
  const file = join(home, 'muxd.db')
  if (!existsSync(file)) return { ok: true, detail: 'not there yet; the daemon makes it' }
  const problem = await readProblem(file)
  if (!problem) return { ok: true, detail: `${file} can be read` }
  return {
    ok: false,
    detail: `${file} cannot be read: ${problem.message} (${problem.code})`,
    fix: 'put a copy of it in its place, or move it away to begin with an empty one',
  }
}

/** Checks that the installation has an SQLite engine for this version of Node. */
export async function checkSqlite(): Promise<Finding> {
  try {
    const { lookAtSqlite } = await loadDaemonCode()
    const look = lookAtSqlite()
    return 'engine' in look ? { ok: true, detail: look.engine } : { ok: false, detail: oneLine(look.problem) }
  } catch (error) {
    return { ok: false, detail: oneLine((error as Error).message).slice(0, 200) }
  }
}

async function readProblem(file: string): Promise<{ code: string; message: string } | undefined> {
  try {
    const { databaseProblem } = await loadDaemonCode()
    const problem = databaseProblem(file)
    return problem && { code: problem.code, message: oneLine(problem.message).slice(0, 200) }
  } catch (error) {
    return { code: 'error', message: oneLine((error as Error).message).slice(0, 200) }
  }
}
