import { AssertionError } from 'node:assert'
import type { Since } from '../../daemon/topics/cursor.ts'
import type { WireMessage } from './simulated-socket.ts'
import { bytesOf, type Connection, type World } from './cursor-world.ts'

/** What there is to know, in plain arrays: what was appended, and where each client is. */
export interface Model {
  epoch: string
  /** Every event of this epoch, also those that were trimmed; `seq` 1 is the first. */
  texts: string[]
  first: number
  readonly clients: Client[]
}

export interface Client {
  connection: Connection | undefined
  /** Its socket is not read from at the end of a turn. */
  stalled: boolean
  /** Subscriptions whose answers it has not read yet. */
  asked: Subscription[]
  /** The one it has read the answer of. */
  current: Subscription | undefined
  /** Messages that were looked at when they were written. */
  seen: number
  /** The same as of writing, not reading, with what was sent and is not acknowledged. */
  sending: { asked: Subscription[]; current: Subscription | undefined; unacked: number[] }
  /** Where it would go on: the last event it has read. */
  place: { epoch: string; seq: number } | undefined
}

interface Subscription {
  topicEpoch: string
  texts: string[]
  answer: object
  /** The last event read; while it is `lost` the client waits for the answer to its next subscription. */
  last: number
  lost: boolean
  ended: boolean
  window: number | undefined
}

export const createModel = (clients: number): Model => ({
  epoch: 'e1',
  texts: [],
  first: 1,
  clients: Array.from({ length: clients }, () => ({ ...disconnected(), stalled: false, place: undefined })),
})

export const disconnected = () => ({
  connection: undefined,
  asked: [],
  current: undefined,
  seen: 0,
  sending: { asked: [], current: undefined, unacked: [] },
})

/** The client's newest subscription, read or not. */
export const newest = ({ asked, current }: Client) => asked.at(-1) ?? current

export function subscribe(model: Model, client: Client, since: Since, window: number | undefined): void {
  const before = newest(client)
  if (before) before.ended = true
  const { after, ...recovery } = placed(model, since)
  const { epoch, texts, first } = model
  const asked: Subscription = {
    topicEpoch: epoch,
    texts,
    answer: { epoch, first, head: texts.length, ...recovery },
    last: after,
    lost: false,
    ended: false,
    window,
  }
  client.asked.push(asked)
  client.sending.asked.push(asked)
  client.connection!.subscribe(since, window)
}

/** PROTOCOL.md's words on `since`. */
function placed({ epoch, texts, first }: Model, since: Since) {
  const head = texts.length
  if (since === 'end') return { after: head, recovered: true }
  if (since === 'start') return { after: first - 1, recovered: true }
  const reason =
    since.epoch !== epoch
      ? 'epoch_changed'
      : since.seq > head
        ? 'ahead_of_log'
        : since.seq < first - 1
          ? 'trimmed'
          : undefined
  return reason === undefined ? { after: since.seq, recovered: true } : { after: first - 1, recovered: false, reason }
}

/** At most `window` bytes are out that are not acknowledged, or a single event. */
export function checkWindow(client: Client): void {
  const { sending, connection } = client
  for (const message of connection!.socket.written.slice(client.seen)) {
    client.seen++
    if (message.result) {
      sending.current = sending.asked.shift()!
      sending.unacked = []
    } else sending.unacked.push(...message.params!.events.map(({ seq }) => seq))
  }
  const { current, unacked } = sending
  if (current?.window === undefined || unacked.length <= 1) return
  const out = bytesOf(unacked.map(seq => current.texts[seq - 1]!))
  if (out > current.window) fault(`${out} bytes are out of a window of ${current.window}`)
}

export function acknowledge({ connection, sending }: Client, seq: number): void {
  connection!.ack(seq)
  // It is for the newest subscription, of which nothing may have been sent yet.
  if (sending.asked.length === 0) sending.unacked = sending.unacked.filter(sent => sent > seq)
}

/** Reads what has come. Where events were trimmed under its cursor the client subscribes anew, as it should. */
export function read(model: Model, client: Client, world: World, most = Infinity): void {
  for (const { text, message } of client.connection!.socket.read(most)) {
    if (message.result) answered(client, message.result)
    else delivered(model, client, world, text, message.params!)
  }
}

function answered(client: Client, result: NonNullable<WireMessage['result']>): void {
  client.current = client.asked.shift()!
  const { topic: _topic, ...got } = result as typeof result & { topic: string }
  same('the answer', JSON.stringify(got), JSON.stringify(client.current.answer))
  client.place = { epoch: client.current.topicEpoch, seq: client.current.last }
}

function delivered(
  model: Model,
  client: Client,
  world: World,
  text: string,
  { epoch, events }: NonNullable<WireMessage['params']>,
): void {
  const { current } = client
  if (current === undefined) return fault('events came before the answer')
  same('the epoch', epoch, current.topicEpoch)
  if (current.lost) return
  const [from, to] = [events[0]!.seq, events.at(-1)!.seq]
  const texts = current.texts.slice(from - 1, to).join(',')
  const expected = `{"jsonrpc":"2.0","method":"events","params":{"topic":"${world.topic}","epoch":"${epoch}","events":[${texts}]}}`
  same('the message', text, expected)
  if (from === current.last + 1) {
    current.last = to
    client.place = { epoch, seq: to }
    return
  }
  if (from <= current.last || from > model.first) fault(`event ${from} came after ${current.last}`)
  current.lost = true
  if (!current.ended) subscribe(model, client, { epoch, seq: current.last }, current.window)
}

/** All that is due arrives, once everybody reads and acknowledges. */
export function settle(model: Model, world: World): void {
  const connected = model.clients.filter(({ connection }) => connection !== undefined)
  const isDue = (client: Client) => {
    const subscription = newest(client)
    if (subscription === undefined || subscription.ended) return false
    return Math.max(subscription.last, model.first - 1) < model.texts.length
  }
  for (let turn = 0; turn < 2_000; turn++) {
    for (const client of connected) {
      read(model, client, world)
      acknowledge(client, client.current?.last ?? 0)
    }
    world.flush()
    connected.forEach(checkWindow)
    if (turn > 2 && !connected.some(isDue)) break
  }
  for (const client of connected) {
    read(model, client, world)
    if (isDue(client)) fault(`event ${newest(client)!.last + 1} of ${model.texts.length} never came`)
  }
}

function same(what: string, got: string, expected: string): void {
  if (got !== expected) fault(`${what} is ${got}, expected ${expected}`)
}

function fault(message: string): never {
  throw new AssertionError({ message })
}
