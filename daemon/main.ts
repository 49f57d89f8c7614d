import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BadConfig, readConfig, serveUsage } from './config.ts'
import { startDaemon } from './daemon.ts'
import { BadHome } from './home.ts'
import { createLog } from './log.ts'

/**
 * `muxd serve`: runs a daemon until it is told to stop (SIGTERM, SIGINT, `daemon.stop`). Exit codes: 0 stopped in
 * order, 2 usage, 3 it could not start.
 */
export async function main(argv: string[]): Promise<void> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(serveUsage)
    return
  }
  try {
    const config = readConfig(argv, process.env)
    const log = createLog(config.logLevel, process.stderr.isTTY ? 'text' : 'json')
    // One session's fault is not the others' end.
    process.on('unhandledRejection', error => log.error('a promise was rejected unseen', { error }))
    const daemon = await startDaemon(config, log)
    const stop = (signal: string) => void daemon.close(`${signal} received`).catch(() => {})
    // `on`, not `once`: a signal that is sent again must not end it in the middle of its end.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal))
    await daemon.closed
    process.exitCode = 0
  } catch (error) {
    const expected = error instanceof Error && expectedErrors.has(error.name)
    process.stderr.write(`muxd: ${expected ? (error).message : ((error as Error).stack ?? String(error))}\n`)
    process.exitCode = error instanceof BadConfig || error instanceof BadHome ? 2 : 3
  }
}

/** What can go wrong without being a bug: one line for the user instead of a stack. */
const expectedErrors = new Set([
  'BadConfig',
  'BadHome',
  'AlreadyRunning',
  'AddressInUse',
  'DatabaseRefused',
  'DatabaseBusy',
  'DiskFull',
])

const invoked = process.argv[1]
if (invoked !== undefined && realpathSync(invoked) === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
