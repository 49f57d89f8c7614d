import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

/**
 * Bytes that the system took from us and the peer's program has not read: they lie in the kernel's buffers, up to tens
 * of megabytes, of which Node tells nothing. Linux lists them for both ends of a connection over loopback. Undefined
 * for any other (a Unix socket, another system), and while an earlier look is under way: it may take the kernel
 * milliseconds, though not on the event loop.
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

/** By local and remote port. */
type Queues = ReadonlyMap<string, { unsent: number; unread: number }>

function createList(file: string): () => Promise<Queues> | undefined {
  let looking: Promise<Queues> | undefined
  let isNew = false
  return () => {
    // All that ask in one beat share a look. A later one would take what was seen before for what is so now.
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
