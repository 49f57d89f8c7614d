// Follows the runs of all clients in all sessions: npx tsx examples/follow.ts
import { connect, type Mux } from '../client/sdk/index.ts' // 'muxd/client' outside this repository

const ending = new AbortController()
process.once('SIGINT', () => ending.abort())

const mux = await connect({ signal: ending.signal, client: { name: 'follower', version: '1' } })
mux.onState((state, why) => console.error(`connection ${state}${why ? `: ${why.message}` : ''}`))

const followed = new Set<string>()
try {
  // The topic `sessions` carries the records of sessions and runs as they change. Each new session is followed from its
  // beginning.
  for await (const record of mux.subscribe('sessions', { since: 'start' })) {
    if (record.type !== 'run_changed' || followed.has(record.run.session)) continue
    followed.add(record.run.session)
    follow(mux, record.run.session).catch(report)
  }
} catch (error) {
  report(error)
}

async function follow({ subscribe }: Mux, session: string): Promise<void> {
  const say = (text: string) => console.log(`${session.slice(0, 6)}  ${text}`)
  for await (const event of subscribe(`session/${session}`, { since: 'start' })) {
    // A narrowed union: each type has its own fields.
    if (event.type === 'run_queued') say(`› ${event.prompt}`)
    else if (event.type === 'tool_use') say(`  ${event.tool} ${JSON.stringify(event.input)}`)
    else if (event.type === 'done') say(event.response)
    else if (event.type === 'failed') say(`failed: ${event.failure.title}`)
    else if (event.type === 'cancelled') say(`cancelled by ${event.by.name}: ${event.reason ?? 'no reason given'}`)
    else if (event.type === 'gap') say(`(events up to ${event.to} are no longer kept)`)
  }
}

function report(error: unknown): void {
  if (!ending.signal.aborted) console.error(error)
}
