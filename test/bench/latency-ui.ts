// A UI of the latency benchmark: one socket, subscribed to everything of a chain. It takes the arrival time of a
// message before it parses the message.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { serveParent } from './child.ts'

export type ChainName = 'muxd' | 'reference'

export type UiCommand =
  | { do: 'connect'; chain: ChainName; url: string; token: string; topics: string[] }
  /** Answered with `Collected` when `runs` runs have ended. Times are µs of CLOCK_MONOTONIC. */
  | { do: 'collect'; chain: ChainName; runs: number; fromUs: number; untilUs: number }

export interface Collected {
  /** Time from print to arrival of each frame that was printed between `fromUs` and `untilUs`, ascending. */
  latenciesUs: Float64Array
  /** Deltas of the runs' final texts that did not arrive, or that arrived in excess. Expected: 0. */
  missing: number
}

interface UiEvent {
  run: string
  type: string
  delta?: string
  response?: string
}

interface Round {
  fromUs: number
  untilUs: number
  runs: number
  deltas: Map<string, number>
  latenciesUs: number[]
  missing: number
  resolve(collected: Collected): void
}

const rounds = new Map<ChainName, Round>()

async function perform(command: UiCommand): Promise<object> {
  if (command.do === 'connect') {
    await connect(command)
    return {}
  }
  return new Promise<Collected>(resolve => {
    rounds.set(command.chain, { ...command, deltas: new Map(), latenciesUs: [], missing: 0, resolve })
  })
}

async function connect({ chain, url, token, topics }: UiCommand & { do: 'connect' }): Promise<void> {
  const socket = new WebSocket(url, ['muxd.v1'], {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  })
  let awaited: (() => void) | undefined
  socket.on('message', (data: Buffer) => {
    const arrivedUs = Number(process.hrtime.bigint()) / 1e3
    const message = JSON.parse(data.toString()) as UiEvent & { id?: number; params?: { events?: UiEvent[] } }
    if (message.id !== undefined) awaited?.()
    else if (chain === 'reference') take(chain, message, arrivedUs)
    else for (const event of message.params?.events ?? []) take(chain, event, arrivedUs)
  })
  await once(socket, 'open')

  const call = (id: number, method: string, params: object) =>
    new Promise<void>(resolve => {
      awaited = resolve
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  if (chain === 'reference') return
  await call(1, 'hello', { protocol: [2], client: { name: 'bench', version: '1' } })
  for (const [index, topic] of topics.entries()) await call(index + 2, 'topic.subscribe', { topic })
}

function take(chain: ChainName, event: UiEvent, arrivedUs: number): void {
  const round = rounds.get(chain)
  if (!round) return
  if (event.type === 'assistant_text') {
    round.deltas.set(event.run, (round.deltas.get(event.run) ?? 0) + 1)
    const printedUs = Number.parseInt(event.delta!.slice(1), 10)
    if (printedUs >= round.fromUs && printedUs < round.untilUs) round.latenciesUs.push(arrivedUs - printedUs)
  } else if (event.type === 'done') {
    const printed = event.response!.split('@').length - 1
    round.missing += Math.abs(printed - (round.deltas.get(event.run) ?? 0))
    round.runs -= 1
    if (round.runs > 0) return
    rounds.delete(chain)
    round.resolve({ latenciesUs: Float64Array.from(round.latenciesUs).sort(), missing: round.missing })
  } else if (event.type === 'failed' || event.type === 'interrupted') {
    throw new Error(`a run of ${chain} has ${event.type}: ${JSON.stringify(event)}`)
  }
}

serveParent(perform)
