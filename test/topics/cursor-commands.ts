import * as fc from 'fast-check'
import type { Since } from '../../daemon/topics/delivery/cursor.ts'
import {
  acknowledge,
  type Client,
  checkWindow,
  disconnected,
  type Model,
  newest,
  read,
  subscribe,
} from './cursor-model.ts'
import type { World } from './cursor-world.ts'

type Command = fc.Command<Model, World>

export const clientCount = 3
const which = fc.nat(clientCount - 1)

/** Creates a step that needs a connected client. */
const ofClient = (
  name: string,
  client: number,
  run: (model: Model, client: Client, world: World) => void,
): Command => ({
  check: model => model.clients[client]!.connection !== undefined,
  run: (model, world) => run(model, model.clients[client]!, world),
  toString: () => `${name} of client ${client}`,
})

const ofAll = (name: string, run: (model: Model, world: World) => void): Command => ({
  check: () => true,
  run,
  toString: () => name,
})

const size = fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, fc.nat(250))
const append = fc.array(size, { minLength: 1, maxLength: 6 }).map(sizes =>
  ofAll(`append ${String(sizes)}`, (model, world) => {
    model.texts.push(...world.append(model.texts.length + 1, sizes))
  }),
)

/** Ends a turn: flushes, then checks each connected client's window and reads unless it is stalled. */
const turn = fc.constant(
  ofAll('turn', (model, world) => {
    world.flush()
    for (const client of model.clients) {
      if (client.connection === undefined) continue
      checkWindow(client)
      if (!client.stalled) read(model, client, world)
    }
  }),
)

const trim = fc.nat(30).map(count =>
  ofAll(`trim ${count}`, (model, world) => {
    model.first = Math.min(model.first + count, model.texts.length + 1)
    world.trim(model.first)
  }),
)

const restart = fc.boolean().map(isNew =>
  ofAll(isNew ? 'restart with a new database' : 'restart', (model, world) => {
    if (isNew) Object.assign(model, { epoch: `${model.epoch}'`, texts: [], first: 1 })
    for (const client of model.clients) Object.assign(client, disconnected())
    world.restart(model.epoch)
  }),
)

const connect = which.map(
  (index): Command => ({
    check: model => model.clients[index]!.connection === undefined,
    run(model, world) {
      Object.assign(model.clients[index]!, { ...disconnected(), connection: world.connect() })
    },
    toString: () => `connect client ${index}`,
  }),
)

const drop = which.map(index =>
  ofClient('drop', index, (_model, client) => {
    client.connection!.close()
    Object.assign(client, disconnected())
  }),
)

type Place = 'place' | 'start' | 'end' | { epoch: string; seq: number } | { near: 'first' | 'head'; by: number }

/** A position to subscribe from: mostly the client's own, as after a lost connection, else any other. */
const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('place' as const) },
  { weight: 2, arbitrary: fc.constantFrom('start' as const, 'end' as const) },
  fc.record({ near: fc.constantFrom('first' as const, 'head' as const), by: fc.integer({ min: -2, max: 2 }) }),
  fc.record({ epoch: fc.constantFrom('e1', "e1'"), seq: fc.nat(150) }),
)

function sinceOf(at: Place, { epoch, first, texts }: Model, client: Client): Since {
  if (at === 'place') return client.place ?? 'start'
  if (typeof at === 'string' || !('near' in at)) return at
  return { epoch, seq: Math.max(0, (at.near === 'first' ? first : texts.length) + at.by) }
}

const window = fc.constantFrom(undefined, 400, 1_024)
const subscribing = fc
  .record({ index: which, at: place, window })
  .map(({ index, at, window: bytes }) =>
    ofClient(`subscribe ${JSON.stringify(at)} ${bytes ?? ''}`, index, (model, client) =>
      subscribe(model, client, sinceOf(at, model, client), bytes),
    ),
  )

const unsubscribing = which.map(index =>
  ofClient('unsubscribe', index, (_model, client) => {
    const subscription = newest(client)
    if (subscription) subscription.ended = true
    client.connection!.unsubscribe()
  }),
)

/** Acks what the client has read, or any `seq`: late, repeated, backward or ahead of the sent events. */
const ack = fc
  .record({ index: which, seq: fc.option(fc.nat(150), { freq: 3 }) })
  .map(({ index, seq }) =>
    ofClient(`ack ${seq ?? 'what was read'}`, index, (_model, client) =>
      acknowledge(client, seq ?? client.current?.last ?? 0),
    ),
  )

const stall = fc
  .record({ index: which, stalled: fc.boolean() })
  .map(({ index, stalled }) =>
    ofClient(stalled ? 'stall' : 'go on', index, (_model, client) => void (client.stalled = stalled)),
  )

const readSome = fc
  .record({ index: which, most: fc.integer({ min: 1, max: 4 }) })
  .map(({ index, most }) => ofClient(`read ${most}`, index, (model, client, world) => read(model, client, world, most)))

const weighted: [number, fc.Arbitrary<Command>][] = [
  [10, append],
  [12, turn],
  [5, connect],
  [6, subscribing],
  [8, ack],
  [3, stall],
  [3, readSome],
  [1, drop],
  [1, unsubscribing],
  [2, trim],
  [1, restart],
]
/** Weighted so that mostly there is an event to send and a client to send it to. */
export const commands = weighted.flatMap(([weight, command]) => Array.from({ length: weight }, () => command))
