import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/**
 * Resolves with the bytes that the kernel has taken from the daemon and the peer has not read. They are in the kernel's
 * buffers, up to tens of megabytes, and Node does not report them. Linux lists them for both ends of a loopback TCP
 * connection. Resolves with undefined for other connections (a Unix socket, another system), and while an earlier read
 * of the list is pending: the kernel may need milliseconds for it, though not on the event loop.
 */
export type UnreadBytes = (socket: Socket) => Promise<number | undefined>

export function createUnreadBytes(): UnreadBytes {
  const lists = { IPv4: createList('/proc/net/tcp'), IPv6: createList('/proc/net/tcp6') }
  return async ({ localPort, remotePort, remoteFamily }) => {
    if (localPort === undefined || remotePort === undefined) return undefined
    const queues = await lists[remoteFamily === 'IPv6' ? 'IPv6' : 'IPv4']()
    const ours = queues?.get(`${localPort} ${remotePort}`)
    const theirs = queues?.get(`${remotePort} ${localPort}`)
    return ours && theirs && ours.unsent + theirs.unread
  }
}

/** Keyed by local and remote port. */
type Queues = ReadonlyMap<string, { unsent: number; unread: number }>

function createList(file: string): () => Promise<Queues> | undefined {
  let looking: Promise<Queues> | undefined
  let isNew = false
  return () => {
    // Calls in the same tick share a read. A later call gets undefined, because the pending read may be out of date.
    if (looking !== undefined) return isNew ? looking : undefined
    isNew = true
    queueMicrotask(() => (isNew = false))
    looking = readQueues(file).finally(() => (looking = undefined))
    return looking
  }
}

async function readQueues(file: string): Promise<Queues> {
  const list = await readFile(file, 'ascii').catch(() => '')
  const queues = new Map<string, { unsent: number; unread: number }>()
  for (const [, local, remote, unsent, unread] of list.matchAll(line)) {
    queues.set(`${hex(local)} ${hex(remote)}`, { unsent: hex(unsent), unread: hex(unread) })
  }
  return queues
}

const line = /^ *\d+: [0-9A-F]+:([0-9A-F]+) [0-9A-F]+:([0-9A-F]+) [0-9A-F]+ ([0-9A-F]+):([0-9A-F]+) /gm
const hex = (digits = '') => Number.parseInt(digits, 16)
