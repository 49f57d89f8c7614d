import { AssertionError } from 'node:assert'
import type { Since } from '../../daemon/topics/delivery/cursor.ts'
import type { WireMessage } from './simulated-socket.ts'
import { bytesOf, type Connection, type World } from './cursor-world.ts'

/** The complete state in plain arrays: the appended events, and the position of each client. */
export interface Model {
  epoch: string
  /** Every event of this epoch, trimmed ones included. The first has `seq` 1. */
  texts: string[]
  first: number
  readonly clients: Client[]
}

export interface Client {
  connection: Connection | undefined
  /** Whether the client skips reading its socket at the end of a turn. */
  stalled: boolean
  /** Subscriptions whose answers the client has not read yet. */
  asked: Subscription[]
  /** The subscription whose answer the client has read last. */
  current: Subscription | undefined
  /** The number of written messages that have been checked. */
  seen: number
  /**
   * `asked` and `current` as of the messages written, not read. `unacked` has the `seq` of each sent event without an
   * ack.
   */
  sending: { asked: Subscription[]; current: Subscription | undefined; unacked: number[] }
  /** The position to resume from: the last event that the client has read. */
  place: { epoch: string; seq: number } | undefined
}

interface Subscription {
  topicEpoch: string
  texts: string[]
  answer: object
  /**
   * The `seq` of the last event read. While `lost` is set, the client waits for the answer to its next subscription.
   */
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

/** Applies the rules of PROTOCOL.md for `since`. */
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

/** Checks that the sent events without an ack take at most `window` bytes, or are a single event. */
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
  // An ack applies to the newest subscription, which may have no answer yet, and so no events.
  if (sending.asked.length === 0) sending.unacked = sending.unacked.filter(sent => sent > seq)
}

/** Reads the messages that have arrived. If the events under its cursor were trimmed, the client subscribes again. */
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

/** Checks that all due events arrive once every client reads and acknowledges. */
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
