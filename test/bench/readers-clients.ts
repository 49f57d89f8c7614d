// The clients of the reader benchmarks. They look only for the first and the last event of each message. Fast readers
// measure its latency, the others hash it.
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { openSlowLine } from '../support/slow-line.ts'
import { serveParent } from './child.ts'

export type ReadersClientsCommand =
  | { do: 'connect'; group: string; count: number; port: number; how: How }
  | { do: 'subscribe'; group: string; session: string; since: 'start' | 'end' }
  /** From now on, the readers of the group read everything as it arrives. */
  | { do: 'release'; group: string }
  /** Reads a session from the beginning to `head` over a connection of its own. Answered with `Replayed`. */
  | { do: 'replay'; port: number; session: string; head: number }
  /** Answered with `Read` when every reader of the group has reached `head`. */
  | { do: 'await'; group: string; session: string; head: number }

/** Reads as data arrives, never, or at a limited rate. */
export type How = 'fast' | 'never' | { bytesPerSecond: number }

export interface Read {
  /** Hashes of what the readers received of the session, without fast ones. Different hashes are a fault. */
  digests: string[]
  /** Time from the creation of a message's last event to its arrival, since the last `await`, ascending. */
  latenciesUs: Float64Array
}

export interface Replayed {
  firstEventMs: number
  wholeMs: number
}

interface Reader {
  ws: WebSocket
  sessions: Map<string, { last: number; hash: Hash }>
  release(): void
}

const groups = new Map<string, Reader[]>()
let latenciesUs: number[] = []
/** Called at each message, so that everything that waits checks its condition again. */
const waiting = new Set<() => void>()

async function perform(command: ReadersClientsCommand): Promise<object> {
  if (command.do === 'connect') {
    const readers = await Promise.all(Array.from({ length: command.count }, () => connect(command.port, command.how)))
    groups.set(command.group, readers)
    return {}
  }
  if (command.do === 'replay') return replay(command)
  const readers = groups.get(command.group)!
  if (command.do === 'subscribe') {
    await Promise.all(readers.map(reader => subscribe(reader, command.session, command.since)))
    return {}
  }
  if (command.do === 'release') {
    for (const reader of readers) reader.release()
    return {}
  }
  return awaitAll(readers, command.session, command.head)
}

async function connect(port: number, how: How): Promise<Reader> {
  const line = typeof how === 'object' ? await openSlowLine(port, Infinity) : undefined
  const ws = new WebSocket(line?.url ?? `ws://127.0.0.1:${port}/ws`, ['muxd.v1'], {
    headers: { authorization: 'Bearer bench', ...line?.headers },
    perMessageDeflate: false,
  })
  const reader: Reader = {
    ws,
    sessions: new Map(),
    release() {
      line?.setBytesPerSecond(Infinity)
      ws.resume()
    },
  }
  await once(ws, 'open')
  await call(ws, 'hello', { protocol: [2], client: { name: 'bench', version: '1' } })
  ws.on('message', (data: Buffer) => take(reader, data, how === 'fast'))
  ws.on('close', code => {
    if (code !== endCode) throw new Error(`a reader was closed with ${code}`)
  })
  if (how === 'never') ws.pause()
  if (typeof how === 'object') line!.setBytesPerSecond(how.bytesPerSecond)
  return reader
}

async function subscribe(reader: Reader, session: string, since: 'start' | 'end'): Promise<void> {
  reader.sessions.set(session, { last: 0, hash: createHash('sha1') })
  const params = { topic: `session/${session}`, since }
  // A reader that does not read sees no answer. Its whole group subscribes from the start, so it need not wait.
  if (reader.ws.isPaused) reader.ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'topic.subscribe', params }))
  else await call(reader.ws, 'topic.subscribe', params)
}

async function call(ws: WebSocket, method: string, params: object): Promise<void> {
  const answered = new Promise<void>(resolve => {
    const look = (data: Buffer) => {
      if (!data.includes('"id":1')) return
      ws.off('message', look)
      resolve()
    }
    ws.on('message', look)
  })
  ws.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  await answered
}

/** The close code of the server when it stops, and of a replay when it is complete. */
const endCode = 4000

const opening = Buffer.from('"events":[')
const seqAt = Buffer.from('{"seq":')
const madeAt = Buffer.from('"atUs":')

function take(reader: Reader, message: Buffer, isTimed: boolean): void {
  const arrivedUs = Number(process.hrtime.bigint()) / 1e3
  const start = message.indexOf(opening)
  if (start < 0) return
  const topic = /"topic":"session\/([^"]+)"/.exec(message.toString('latin1', 0, start))!
  const state = reader.sessions.get(topic[1]!)!
  const body = message.subarray(start + opening.length, message.length - 3)
  const first = numberAt(body, seqAt.length)
  if (state.last > 0 && first !== state.last + 1) throw new Error(`event ${first} came after ${state.last}`)
  state.last = numberAt(body, body.lastIndexOf(seqAt) + seqAt.length)
  if (isTimed) latenciesUs.push(arrivedUs - numberAt(body, body.lastIndexOf(madeAt) + madeAt.length))
  else state.hash.update(body).update(',')
  for (const look of waiting) look()
}

const numberAt = (body: Buffer, at: number) => Number.parseInt(body.toString('latin1', at, at + 20), 10)

async function awaitAll(readers: Reader[], session: string, head: number): Promise<Read> {
  await new Promise<void>(resolve => {
    const look = () => {
      if (readers.some(reader => reader.sessions.get(session)!.last < head)) return
      waiting.delete(look)
      resolve()
    }
    waiting.add(look)
    look()
  })
  const digests = readers.map(reader => reader.sessions.get(session)!.hash.copy().digest('hex'))
  const sorted = Float64Array.from(latenciesUs).sort()
  latenciesUs = []
  return { digests, latenciesUs: sorted }
}

async function replay({ port, session, head }: ReadersClientsCommand & { do: 'replay' }): Promise<Replayed> {
  const reader = await connect(port, 'fast')
  const startedAt = performance.now()
  let firstEventMs: number | undefined
  reader.ws.on('message', () => {
    if ((reader.sessions.get(session)?.last ?? 0) > 0) firstEventMs ??= performance.now() - startedAt
  })
  await subscribe(reader, session, 'start')
  await awaitAll([reader], session, head)
  const wholeMs = performance.now() - startedAt
  reader.ws.close(endCode)
  return { firstEventMs: firstEventMs!, wholeMs }
}

serveParent(perform)
