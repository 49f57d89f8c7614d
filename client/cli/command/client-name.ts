import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { isatty } from 'node:tty'
import { Usage } from '../errors/exit.ts'

const longestName = 200

/**
 * Returns the name that other clients see: `--as`, else `MUXD_CLIENT_NAME`, else `user@host (terminal)`. Throws `Usage`
 * for an invalid name.
 */
export function clientName(given: string | undefined): string {
  const named = given ?? process.env['MUXD_CLIENT_NAME']
  if (named === undefined || (given === undefined && named === '')) return defaultName()
  const source = given === undefined ? 'MUXD_CLIENT_NAME' : '--as'
  // oxlint-disable-next-line no-control-regex
  const isName = named.trim() !== '' && Array.from(named).length <= longestName && !/[\u0000-\u001f\u007f]/.test(named)
  if (!isName)
    throw new Usage(`${source} ${JSON.stringify(named)}: expected 1 to ${longestName} characters in one line`)
  return named.trim()
}

function defaultName(): string {
  const terminal = terminalName()
  return `${userName()}@${hostname().split('.')[0] || 'localhost'}${terminal === undefined ? '' : ` (${terminal})`}`.slice(
    0,
    longestName,
  )
}

/** A user without an entry in the system's user database has only a number. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}

/** Returns the name of the first standard stream that is a terminal, such as `pts/3`. */
function terminalName(): string | undefined {
  const fd = [0, 1, 2].find(each => isatty(each))
  if (fd === undefined) return undefined
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/^\/dev\//, '')
  } catch {
    return nameFromTtyCommand(fd)
  }
}

/** For systems without `/proc`. */
function nameFromTtyCommand(fd: number): string | undefined {
  try {
    const path = execFileSync('tty', { stdio: [fd, 'pipe', 'ignore'], encoding: 'utf8', timeout: 1_000 })
    return path.trim().replace(/^\/dev\//, '')
  } catch {
    return undefined
  }
}
