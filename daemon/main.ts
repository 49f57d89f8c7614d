import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BadConfig, type Config, readConfig, serveUsage } from './config.ts'
import { startDaemon } from './daemon.ts'
import { BadHome, homePaths } from './home/home.ts'
import { createLog, type Log } from './log/log.ts'
import { createLogFile } from './log/log-file.ts'
import { HomeLost } from './home/home-watch.ts'
import { describeSqlite } from './store/sqlite/look.ts'
import { SyncFailed } from './store/store.ts'
import { systemProblem } from './os/system-error.ts'
import { wrongNodeProblem } from './wrong-node.ts'

/**
 * `muxd serve`: runs a daemon until it is told to stop (SIGTERM, SIGINT, `daemon.stop`). Exit codes: 0 stopped in
 * order, 2 usage or an installation for another Node, 3 it could not start, 4 the disk failed, 5 its home or its database
 * was removed or replaced.
 */
export async function main(argv: string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(serveUsage)
    return
  }
  let log: Log | undefined
  try {
    const config = readConfig(argv, process.env)
    log = openLog(config)
    for (const warning of config.warnings) log.warn(warning)
    // One session's fault is not the others' end.
    process.on('unhandledRejection', error => log?.error('a promise was rejected unseen', { error }))
    process.on('uncaughtExceptionMonitor', error => log?.error('the daemon crashed', { error }))
    // Listened to from the beginning, so that one that comes during the start ends it in order; and `on`, not `once`: one
    // that is sent again must not end it in the middle of its end.
    const told = new Promise<string>(resolve => {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
    })
    const daemon = await startDaemon(config, log)
    // Only for eyes: what goes to a file or a pipe may be kept.
    if (process.stdout.isTTY)
      process.stdout.write(`\nThe workspace, for one browser, within ten minutes:\n  ${daemon.pageLink()}\n\n`)
    void told.then(signal => daemon.close(`${signal} received`)).catch(() => {})
    await daemon.closed
    process.exitCode = 0
  } catch (error) {
    const wrongNode = wrongNodeProblem(error)
    const expected =
      wrongNode ?? (error instanceof Error && expectedErrors.has(error.name) ? error.message : systemProblem(error))
    // A stack is for the log: who starts the daemon reads one line.
    if (expected === undefined) log?.error('the daemon failed', { error })
    const message =
      expected ??
      `${error instanceof Error ? error.message : String(error)} (an error inside muxd: its log has the details)`
    process.stderr.write(`muxd: ${message}\n`)
    // Also where its end has failed half way, which must not keep it. And after a failed sync SQLite would still tidy up,
    // and move to the database what may not be in its log.
    if (error instanceof SyncFailed) process.exit(4)
    if (error instanceof HomeLost) process.exit(5)
    // A start that fails with 3 is tried again.
    process.exit(error instanceof BadConfig || error instanceof BadHome || wrongNode !== undefined ? 2 : 3)
  }
}

/** What a daemon with these options would be configured with, or why it would not start: for `muxd doctor`. */
export function lookAtConfig(argv: string[]): { claudeBin?: string | undefined } | { problem: string } {
  try {
    return { claudeBin: readConfig(argv, process.env).claudeBin }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

/** For `muxd doctor`: the SQLite of this Node, or why there is none. */
export function lookAtSqlite(): { engine: string } | { problem: string } {
  try {
    return { engine: describeSqlite() }
  } catch (error) {
    return { problem: wrongNodeProblem(error) ?? (error as Error).message }
  }
}

/** For `muxd doctor`: why a database cannot be read now. */
export { readProblem as databaseProblem } from './store/sqlite/look.ts'

function openLog({ home, logLevel, logTo, logMaxBytes, logFiles }: Config): Log {
  if (logTo === 'stderr') return createLog(logLevel, process.stderr.isTTY ? 'text' : 'json')
  const path = join(homePaths(home).logs, 'daemon.log')
  return createLog(logLevel, 'json', createLogFile({ path, maxBytes: logMaxBytes, files: logFiles }).write)
}

/** What can go wrong without being a bug: one line for the user instead of a stack. */
const expectedErrors = new Set([
  'BadConfig',
  'BadHome',
  'AlreadyRunning',
  'AddressInUse',
  'DatabaseRefused',
  'DatabaseBusy',
  'DatabaseUnavailable',
  'HomeLost',
  'DiskFull',
  'SyncFailed',
])

const invoked = process.argv[1]
if (invoked !== undefined && realpathSync(invoked) === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
