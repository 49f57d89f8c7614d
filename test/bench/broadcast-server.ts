import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { limits } from '../../protocol/limits.ts'
import { textFrame } from '../../daemon/topics/delivery/ws-frame.ts'
import { createHub } from '../../daemon/topics/delivery/hub.ts'
import { createSessionLogs } from '../../daemon/topics/logs/session-logs.ts'
import { startBenchServer } from './bench-server.ts'

export type Way = 'raw' | 'muxd' | 'naive'
export type Command = { do: 'start' } | { do: 'broadcast'; way: Way; turns: number; eventsPerTurn: number }
export interface Report {
  cpuSeconds: number
  /** Bytes that each subscriber gets. */
  bytesEach: number
}

const benchTopic = 'session/s_1'

interface Event {
  seq: number
  time: number
  run: string
  type: string
  delta: string
  messageId: string
  index: number
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve))
let seq = 0
const nextEvents = (count: number): Event[] =>
  Array.from({ length: count }, () => ({
    seq: ++seq,
    time: 1_750_000_000_000 + seq,
    run: 'r_V1StGXR8_Z5jdHi6B-myT',
    type: 'assistant_text',
    delta: 'a few words of an answer, as they are ',
    messageId: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    index: 0,
  }))
const pageOf = (events: readonly Event[]) =>
  textFrame(
    `{"jsonrpc":"2.0","method":"events","params":{"topic":"${benchTopic}","epoch":"bench","events":[${events.map(event => JSON.stringify(event)).join(',')}]}}`,
  )

// The whole path of muxd: log, hub, server, its checks and its connections.
const logs = createSessionLogs({
  events: { read: () => [], get: () => undefined, bounds: () => ({ first: 1, head: 0 }) },
  epoch: 'bench',
  maxEventBytes: limits.maxEventBytes,
})
const lookup = (topic: string) => (topic === benchTopic ? logs.open('s_1') : undefined)
const hub = createHub({ lookup, limits })
// The clients count bytes and answer no pings.
const startMuxd = () => startBenchServer(hub, lookup, { heartbeatMs: 3_600_000, pongTimeoutMs: 3_600_000 })

const rawSockets: Socket[] = []
const naiveSockets: WebSocket[] = []

async function start(): Promise<{ ports: Record<Way, number> }> {
  const raw = createServer({ noDelay: true }, socket => {
    rawSockets.push(socket)
    socket.resume()
  })
  await new Promise<void>(resolve => raw.listen(0, '127.0.0.1', resolve))
  const naive = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  naive.on('connection', socket => naiveSockets.push(socket))
  await new Promise(resolve => naive.once('listening', resolve))
  const muxd = await startMuxd()
  const portOf = (address: unknown) => (address as AddressInfo).port
  return { ports: { raw: portOf(raw.address()), naive: portOf(naive.address()), muxd: muxd.port } }
}

/** Creates the events before the clock starts, in the form that each way takes. */
async function broadcast({ way, turns, eventsPerTurn }: Command & { do: 'broadcast' }): Promise<Report> {
  if (way !== 'muxd') seq = 1_000_000
  else seq = logs.open('s_1').head()
  const batches = Array.from({ length: turns }, () => nextEvents(eventsPerTurn))
  const pages = batches.map(pageOf)
  const rows = batches.map(events =>
    events.map(event => ({
      seq: event.seq,
      run: event.run,
      type: event.type,
      text: JSON.stringify(event),
      process: null,
      offset: null,
    })),
  )
  const sizes = batches.map(events => events.map(event => textFrame(JSON.stringify(event)).length))
  await nextTurn()
  const before = process.cpuUsage()
  for (let turn = 0; turn < turns; turn++) {
    if (way === 'raw') {
      for (const socket of rawSockets) socket.write(pages[turn]!)
    } else if (way === 'muxd') {
      logs.publish('s_1', rows[turn]!)
      hub.published(benchTopic)
    } else {
      for (const event of batches[turn]!) for (const socket of naiveSockets) socket.send(JSON.stringify(event))
    }
    await nextTurn()
  }
  await nextTurn()
  const { user, system } = process.cpuUsage(before)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const bytesEach = way === 'naive' ? sum(sizes.flat()) : sum(pages.map(page => page.length))
  return { cpuSeconds: (user + system) / 1e6, bytesEach }
}

process.on('message', (command: Command) => {
  void (command.do === 'start' ? start() : broadcast(command)).then(answer => process.send!(answer))
})
