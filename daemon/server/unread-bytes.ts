import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/**
 * Bytes that the system took from us and the peer's program has not read: they lie in the kernel's buffers, up to tens
 * of megabytes, of which Node tells nothing. Linux lists them for both ends of a connection over loopback. Undefined
 * for any other (a Unix socket, another system).
 */
export type UnreadBytes = (socket: Socket) => Promise<number | undefined>

export function createUnreadBytes(): UnreadBytes {
  // All that ask in one beat share one look.
  let looking: Promise<Queues> | undefined
  return async socket => {
    const { localPort, remotePort } = socket
    if (localPort === undefined || remotePort === undefined) return undefined
    looking ??= readQueues().finally(() => (looking = undefined))
    const queues = await looking
    const ours = queues.get(`${localPort} ${remotePort}`)
    const theirs = queues.get(`${remotePort} ${localPort}`)
    return ours && theirs && ours.unsent + theirs.unread
  }
}

/** By local and remote port. */
type Queues = ReadonlyMap<string, { unsent: number; unread: number }>

async function readQueues(): Promise<Queues> {
  const lists = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map(file => readFile(file, 'ascii').catch(() => '')),
  )
  const queues = new Map<string, { unsent: number; unread: number }>()
  for (const [, local, remote, unsent, unread] of lists.join('\n').matchAll(line)) {
    queues.set(`${hex(local)} ${hex(remote)}`, { unsent: hex(unsent), unread: hex(unread) })
  }
  return queues
}

const line = /^ *\d+: [0-9A-F]+:([0-9A-F]+) [0-9A-F]+:([0-9A-F]+) [0-9A-F]+ ([0-9A-F]+):([0-9A-F]+) /gm
const hex = (digits = '') => Number.parseInt(digits, 16)
