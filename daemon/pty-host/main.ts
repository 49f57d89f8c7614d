import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { homePaths, openSockets } from '../home/home.ts'
import { createLog, isLogLevel } from '../log/log.ts'
import { createLogFile } from '../log/log-file.ts'
import { holdLock } from '../store/sqlite/file-lock.ts'
import { createInProcessPtyHost } from './in-process.ts'
import { servePtyHost } from './serve.ts'
import { ptyHostLog } from './spawn.ts'

/**
 * The pty-host's process. It owns the terminals of all sessions of a home, so that they outlive the daemon. A daemon
 * starts it (`spawn.ts`), never a user. It ends by itself when it holds nothing and no daemon is attached.
 */
const { values } = parseArgs({
  options: { home: { type: 'string' }, 'log-level': { type: 'string', default: 'info' } },
})
const home = homePaths(values.home!)
const level = values['log-level']
const file = createLogFile({ path: ptyHostLog(home), maxBytes: 10 * 1024 * 1024, files: 5 })
const log = createLog(isLogLevel(level) ? level : 'info', 'json', file.write)

// An error in one session must not end this process: every other session would end with it.
process.on('uncaughtException', error => log.error('something went wrong in the pty-host', { error }))
// This process has no terminal, and keys that a user types in the daemon's terminal are not meant for it.
for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {})

const unlock = await lock()
if (!unlock) process.exit(0)
rmSync(home.ptyHostSocket, { force: true })
const ptyHost = createInProcessPtyHost({ dir: home.processes, log })
const server = await servePtyHost({
  socketPath: home.ptyHostSocket,
  openSockets: () => openSockets(home),
  ptyHost,
  muxd: packageJson.version,
  log,
})
log.info('holding', { pid: process.pid, home: home.directory })

let ending = false
const end = async (why: string) => {
  if (ending) return
  ending = true
  log.info('the pty-host ends', { why })
  await server.close()
  unlock()
  process.exit(0)
}
process.on('SIGTERM', () => void end('SIGTERM received'))
void server.done.then(() => end('nothing is held'))

/**
 * Takes the lock that allows one pty-host in a home; returns what releases it. Waits up to 5 s, because the holder of
 * the lock may be about to end. Returns undefined if it still has the lock then: it serves as well as this process.
 */
async function lock() {
  for (let left = 50; left > 0; left--) {
    const release = holdLock(home.ptyHostLock)
    if (release) return release
    await delay(100)
  }
  return undefined
}
