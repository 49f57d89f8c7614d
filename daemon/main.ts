import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BadConfig, type Config, readConfig, serveUsage } from './config.ts'
import { startDaemon } from './compose.ts'
import { BadHome, homePaths } from './home/home.ts'
import { createLog, type Log } from './log/log.ts'
import { createLogFile } from './log/log-file.ts'
import { HomeLost } from './home/home-watch.ts'
import { describeSqlite } from './store/sqlite/look.ts'
import { SyncFailed } from './store/store.ts'
import { systemProblem } from './os/system-error.ts'
import { wrongNodeProblem } from './wrong-node.ts'

/**
 * `muxd serve`: runs a daemon until it is stopped (SIGTERM, SIGINT, SIGHUP, `daemon.stop`). Exit codes: 0: stopped in
 * order; 2: wrong usage, configuration or home, or an installation for another Node; 3: the start failed, or a bug; 4:
 * the disk failed; 5: the home or the database was removed or replaced.
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
    // A fault in one session must not end the others.
    process.on('unhandledRejection', error => log?.error('a promise was rejected unseen', { error }))
    process.on('uncaughtExceptionMonitor', error => log?.error('the daemon crashed', { error }))
    // Listen before the start, so that a signal during the start leads to an orderly stop. Use `on`, not `once`: a
    // second signal must not kill the daemon during its stop.
    const told = new Promise<string>(resolve => {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
    })
    const daemon = await startDaemon(config, log)
    // Print the link only to a terminal: a file or a pipe might keep it.
    if (process.stdout.isTTY)
      process.stdout.write(`\nThe workspace, for one browser, within ten minutes:\n  ${daemon.pageLink()}\n\n`)
    void told.then(signal => daemon.close(`${signal} received`)).catch(() => {})
    await daemon.closed
    process.exitCode = 0
  } catch (error) {
    const wrongNode = wrongNodeProblem(error)
    const expected =
      wrongNode ?? (error instanceof Error && expectedErrors.has(error.name) ? error.message : systemProblem(error))
    // The log gets the stack of an unexpected error; stderr gets one line.
    if (expected === undefined) log?.error('the daemon failed', { error })
    const message =
      expected ??
      `${error instanceof Error ? error.message : String(error)} (an error inside muxd: its log has the details)`
    process.stderr.write(`muxd: ${message}\n`)
    // Exit at once: a stop that failed half way must not keep the process alive. After a failed sync, SQLite would also
    // checkpoint on a regular exit and move data to the database that its log may lack.
    if (error instanceof SyncFailed) process.exit(4)
    if (error instanceof HomeLost) process.exit(5)
    // The CLI retries a start that fails with 3 (`client/cli/daemon/background.ts`).
    process.exit(error instanceof BadConfig || error instanceof BadHome || wrongNode !== undefined ? 2 : 3)
  }
}

/** For `muxd doctor`: the configuration that a daemon with these options would have, or why it would not start. */
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

/** Names of errors that are not bugs: the user gets one line instead of a stack. */
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
