import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { WebSocket } from 'ws'
import { tmpdir } from 'node:os'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { Event, Gap } from '../../client/sdk/index.ts'
import { connect as connectInBrowser, open as openInBrowser } from '../../client/sdk/browser.ts'
import { sharedTestDaemon, startTestDaemon } from '../support/daemon.ts'
import { connectForTest, fast, reached } from './harness.ts'
import { range } from './peer.ts'
import { until } from '../support/until.ts'

const slow = 'sim:slow delayMs=5000 words=10000'

async function collect(items: AsyncIterable<Event | Gap>): Promise<(Event | Gap)[]> {
  const collected: (Event | Gap)[] = []
  for await (const item of items) collected.push(item)
  return collected
}

const shared = sharedTestDaemon()

it('a program starts a run, follows it and gets its response and cost', async () => {
  const { home } = await startTestDaemon()
  const mux = await connectForTest({ home })
  const run = await mux.run({ prompt: 'sim:text hello', cwd: '.' })
  let text = ''
  for await (const event of run.events()) if (event.type === 'assistant_text') text += event.delta
  const { response, costUsd } = await run.result()
  expect({ text, response }).toEqual({ text: 'hello', response: 'hello' })
  expect(costUsd).toBeGreaterThan(0)
  expect((await mux.api.session.list({})).sessions).toMatchObject([{ session: run.session, lastRun: run.id }])
})

it('a program that started a run learns which other program cancelled it and why', async () => {
  const { home } = shared()
  const ada = await connectForTest({ home, client: { name: 'ada', version: '1' } })
  const bob = await connectForTest({ home, client: { name: 'bob', version: '1' } })
  const run = await ada.run({ prompt: slow, cwd: '.' })
  const [mine, theirs] = [collect(run.events()), collect(bob.attach(run.id).events())]
  const end = run.result().catch((error: unknown) => error)
  await until(async () => expect((await run.info()).state).toBe('running'))
  await bob.attach(run.id).cancel('not needed')
  expect(await end).toMatchObject({ name: 'RunCancelled', by: { name: 'bob' }, reason: 'not needed' })
  expect(await mine).toEqual(await theirs)
})

it('the result of a failed run rejects with its failure', async () => {
  const { home } = shared()
  const mux = await connectForTest({ home })
  const run = await mux.run({ prompt: 'sim:crash', cwd: '.' })
  await expect(run.result()).rejects.toMatchObject({ name: 'RunFailed', failure: { code: 'crashed' } })
})

it('a follower receives every event of a run once over repeated disconnects', async () => {
  const { home } = shared()
  const mux = await connectForTest({ home })
  const run = await mux.run({ prompt: 'sim:flood frames=3000 rate=2000', cwd: '.' })
  const seqs: number[] = []
  let cuts = 0
  const { cut } = cuttable()
  const other = await connectForTest({ home })
  for await (const event of other.attach(run.id).events()) {
    if (event.type === 'gap') throw new Error('a gap')
    seqs.push(event.seq)
    if (seqs.length % 500 === 0) {
      cuts++
      cut()
    }
  }
  expect(cuts).toBeGreaterThan(3)
  expect(seqs).toEqual(range(1, seqs.length))
})

it('a follower of a run learns of its interruption from the restarted daemon', async () => {
  const first = await startTestDaemon()
  const { home } = first
  const mux = await connectForTest({ home })
  const run = await mux.run({ prompt: slow, cwd: '.' })
  const events = collect(run.events())
  const end = run.result().catch((error: unknown) => error)
  await until(async () => expect((await run.info()).state).toBe('running'))
  const recovering = reached(mux, 'recovering')
  await first.stop()
  await recovering
  await startTestDaemon({ home })
  expect(await end).toMatchObject({ name: 'RunInterrupted' })
  const seen = await events
  expect(seen.at(-1)).toMatchObject({ type: 'interrupted' })
  expect(seen.map(event => 'seq' in event && event.seq)).toEqual(range(1, seen.length))
})

it('a slow reader receives less than twice its window ahead', async () => {
  const { home } = shared()
  const mux = await connectForTest({ home })
  const run = await mux.run({ prompt: 'sim:flood frames=5000 size=1000', cwd: '.' })
  await run.result()
  let received = 0
  const { onBytes } = cuttable()
  onBytes(bytes => (received += bytes))
  const other = await connectForTest({ home })
  const window = 256 * 1024
  const events = other.attach(run.id).events({ window })
  await events.next()
  await until(() => expect(received).toBeGreaterThan(window / 2))
  await other.api.session.list({})
  expect(received).toBeLessThan(window * 2)
  let count = 1
  while (!(await events.next()).done) count++
  expect(count).toBeGreaterThan(5_000)
  expect(received).toBeGreaterThan(5_000_000)
})

it('a closed connection leaves no socket and no timer behind', async () => {
  const { home } = shared()
  const sockets = () => readdirSync('/proc/self/fd').length
  const warm = await connectForTest({ home })
  warm.close()
  await until(() => expect(process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap')).toEqual([]))
  // Timers of earlier tests may still be active.
  await withoutTimers()
  const before = sockets()
  for (let count = 0; count < 5; count++) {
    const mux = await connectForTest({ home, timing: fast })
    const waiting = mux.subscribe('sessions').next()
    await mux.api.daemon.status({})
    mux.close()
    await expect(waiting).rejects.toMatchObject({ kind: 'unavailable' })
  }
  await until(() => expect(sockets()).toBe(before))
  expect(timers()).toEqual([])
})

it('the browser SDK runs a prompt over the global WebSocket', async () => {
  const { info } = shared()
  vi.stubGlobal('WebSocket', WebSocket)
  onTestFinished(() => void vi.unstubAllGlobals())
  const mux = await connectInBrowser({ url: info.url, token: info.token })
  onTestFinished(() => mux.close())
  const run = await mux.run({ prompt: 'sim:text hello', cwd: process.cwd() })
  expect(await run.result()).toMatchObject({ response: 'hello' })
})

it('a page with a wrong token stops retrying before other clients are locked out', async () => {
  const { info } = shared()
  vi.stubGlobal('WebSocket', WebSocket)
  onTestFinished(() => void vi.unstubAllGlobals())
  const { url } = info
  await expect(connectInBrowser({ url, token: 'wrong' })).rejects.toMatchObject({ code: 4501 })
  const mux = openInBrowser({ url, token: 'wrong', patient: true, timing: fast })
  await expect(mux.opened).rejects.toMatchObject({ code: 4501 })
  const other = await connectForTest({ url, token: info.token })
  expect(other.state).toBe('open')
})

it('the examples say-hi.ts and follow.ts print the messages of a run', async () => {
  const { home } = await startTestDaemon()
  const options = { env: { ...process.env, MUXD_HOME: home } }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'examples/say-hi.ts'], options)
  expect(stdout).toMatch(/say hi[\s\S]+\d+ characters for \$0\.\d+\n$/)

  const follower = spawn(process.execPath, ['--import', 'tsx', 'examples/follow.ts'], { ...options, stdio: 'pipe' })
  const ended = once(follower, 'close')
  let followed = ''
  follower.stdout.on('data', (text: Buffer) => (followed += text.toString()))
  await until(() => expect(followed).toMatch(/› say hi\n[\s\S]+You said/))
  follower.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})

const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout')

/** Waits at most 5 s until no timer is active. Unlike `until`, it uses no timer of its own. */
async function withoutTimers(): Promise<void> {
  for (const end = performance.now() + 5_000; timers().length > 0 && performance.now() < end; ) await nextTurn()
  expect(timers()).toEqual([])
}

/** Tracks the sockets that are opened from now on, so that a test can cut them. */
function cuttable() {
  const open = new Set<WebSocket>()
  const listeners = new Set<(bytes: number) => void>()
  const emit = vi.spyOn(WebSocket.prototype, 'emit').mockImplementation(function (this: WebSocket, ...argv) {
    const [name, data] = argv as [string, Buffer]
    if (name === 'open') open.add(this)
    if (name === 'close') open.delete(this)
    if (name === 'message') for (const listener of listeners) listener(data.length)
    return original.apply(this, argv)
  })
  onTestFinished(() => emit.mockRestore())
  return {
    cut() {
      for (const socket of open) socket.terminate()
    },
    onBytes: (listener: (bytes: number) => void) => void listeners.add(listener),
  }
}
const original = WebSocket.prototype.emit as (this: WebSocket, ...argv: unknown[]) => boolean

it('following 30 topics emits no Node warning', async () => {
  const warnings: string[] = []
  const note = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const { home } = await startTestDaemon()
  const mux = await connectForTest({ home })
  const created = await Promise.all(Array.from({ length: 30 }, () => mux.api.session.create({ cwd: tmpdir() })))
  const readers = created.map(({ session }) => mux.subscribe(`session/${session}`, { since: 'start' }))
  const taken = readers.map(reader => reader.next())
  const run = await mux.run({ prompt: 'sim:text', session: created[0]!.session })
  await run.result()
  expect(await taken[0]).toMatchObject({ value: { type: 'run_queued' } })
  for (const waiting of taken) waiting.catch(() => {})
  expect(warnings).toEqual([])
})
