import { fileURLToPath } from 'node:url'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { BenchLine } from './bench-line.ts'
import { startChild } from './child.ts'
import { median } from './statistics.ts'
import { type Chained, sessionOf, type StoringCommand } from './storing-chain.ts'

const uis = 3

/**
 * G7: CPU that storing adds to an event, from a process's bytes to three subscribers' sockets, against the same chain
 * that only publishes. The two take turns.
 */
export async function benchStoring({ rounds = 15, events = 20_000 } = {}): Promise<BenchLine[]> {
  const child = startChild<StoringCommand>(fileURLToPath(new URL('./storing-chain.ts', import.meta.url)))
  try {
    const { port } = await child.ask<{ port: number }>({ do: 'start' })
    const readers = await Promise.all(Array.from({ length: uis }, () => connect(port)))
    const lines: BenchLine[] = []
    for (const framesPerTurn of [4, 16, 64]) {
      const us = { stored: [] as number[], published: [] as number[] }
      for (let round = -1; round < rounds; round++) {
        for (const isStored of [true, false]) {
          const turns = Math.ceil(events / framesPerTurn)
          const { head, cpuUsPerEvent } = await child.ask<Chained>({ do: 'run', isStored, turns, framesPerTurn })
          await Promise.all(readers.map(reader => reader.has(sessionOf(isStored), head)))
          // The first round warms up the compiler.
          if (round >= 0) us[isStored ? 'stored' : 'published'].push(cpuUsPerEvent)
        }
      }
      const added = us.stored.map((value, index) => value / us.published[index]! - 1)
      lines.push({
        goal: 'G7',
        what: `CPU that storing adds to an event, ${framesPerTurn} events a turn`,
        value: `${median(us.stored).toFixed(1)} µs`,
        reference: `not stored ${median(us.published).toFixed(1)} µs`,
        ratio: median(added),
        floor: '0.3',
        aim: '0.1',
      })
    }
    for (const reader of readers) reader.close()
    return lines
  } finally {
    await child.close()
  }
}

/** A subscriber of both sessions that knows the last `seq` it received of each. */
async function connect(port: number) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'muxd.v1', { headers: { authorization: 'Bearer bench' } })
  const last = new Map<string, number>()
  let wake = () => {}
  ws.on('message', (data: Buffer) => {
    const text = data.toString()
    const [, session] = /"topic":"session\/(\w+)"/.exec(text) ?? []
    const at = text.lastIndexOf('{"seq":')
    if (session === undefined || at < 0) return
    last.set(session, Number.parseInt(text.slice(at + 7, at + 20), 10))
    wake()
  })
  await once(ws, 'open')
  const call = (id: number, method: string, params: object) =>
    ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  call(1, 'hello', { protocol: [2], client: { name: 'bench', version: '0' } })
  for (const isStored of [true, false]) {
    call(isStored ? 2 : 3, 'topic.subscribe', { topic: `session/${sessionOf(isStored)}`, since: 'start' })
  }
  return {
    async has(session: string, head: number) {
      while ((last.get(session) ?? 0) < head) await new Promise<void>(resolve => (wake = resolve))
    },
    close: () => ws.close(),
  }
}
