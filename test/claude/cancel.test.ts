import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSuite, waitOptions, type Suite } from './support/suite.ts'
import { one, play, watch, type Watch } from './support/watch.ts'
import { until } from '../support/until.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

interface Moment {
  name: string
  prompt: string
  reached(watched: Watch): Promise<unknown>
}

const lastRequest = (scenario: string) =>
  until(() => {
    const request = suite.api.requests.findLast(each => each.scenario === scenario)
    expect(request).toBeDefined()
    return request!
  }, waitOptions)

const moments: Moment[] = [
  { name: 'before the first frame', prompt: 'scn:endless', reached: watched => watched.until('run_started') },
  { name: 'before the response headers', prompt: 'scn:silent', reached: () => lastRequest('silent') },
  { name: 'in the text', prompt: 'scn:endless', reached: watched => watched.until('assistant_text') },
  { name: 'in a tool', prompt: `scn:long-tool:${randomUUID()}`, reached: watched => toolRunning(watched) },
  { name: 'in a retry', prompt: 'scn:slow-retry', reached: watched => watched.until('api_retry') },
]

async function toolRunning(watched: Watch): Promise<void> {
  const { input } = await watched.until('tool_use')
  await until(() => expect(running((input as { command: string }).command)).not.toEqual([]), waitOptions)
}

const running = (text: string) => suite.processes().filter(each => each.commandLine.includes(text))

describe('a run cancelled by another client', () => {
  test.each(moments)('$name ends as cancelled, its tools have ended, and the session continues', async moment => {
    const watched = watch(await suite.mux.run({ prompt: moment.prompt, cwd: suite.cwd }))
    await moment.reached(watched)
    const other = await suite.connect()
    await other.attach(watched.run.id).cancel('not needed')
    const events = await watched.ended()

    const requested = one(events, 'cancel_requested')
    expect(requested).toMatchObject({ reason: 'not needed', mode: 'interrupt' })
    expect(one(events, 'cancelled')).toMatchObject({ by: requested.by, reason: 'not needed' })
    // Claude Code has killed the command when it reports the end, but the kernel may not have finished.
    await until(() => expect(running('/nowhere/')).toEqual([]), { timeout: 1_000, interval: 5 })
    const { session } = await watched.run.info()
    await until(() => {
      const own = suite.api.requests.filter(each => moment.prompt.startsWith(`scn:${each.scenario}`))
      expect(own.every(each => each.abandoned || each.scenario === 'long-tool' || each.scenario === 'slow-retry')).toBe(
        true,
      )
    }, waitOptions)

    const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
    expect(one(next, 'done').response).toContain('afterwards')
    expect(next.filter(event => event.type === 'cancelled')).toEqual([])
  })
})

// 2.1.197 and older leave the command of a tool behind on SIGTERM, in a session of its own. muxd ends it.
test.each(['terminate', 'kill'] as const)('a cancel with mode %s ends every process of a tool', async mode => {
  const tag = randomUUID()
  const watched = watch(await suite.mux.run({ prompt: `scn:long-tool:${tag}`, cwd: suite.cwd }))
  await toolRunning(watched)
  await watched.run.cancel(undefined, { mode })
  const events = await watched.ended()
  expect(one(events, 'cancelled').by).toEqual(one(events, 'cancel_requested').by)
  expect(running(tag)).toEqual([])
  const { session } = await watched.run.info()
  const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
  expect(one(next, 'done').response).toContain('afterwards')
})

test('a run killed right after its start leaves a usable session', async () => {
  const watched = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
  await watched.until('run_started')
  await watched.run.cancel(undefined, { mode: 'kill' })
  const events = await watched.ended()
  expect(one(events, 'cancelled')).toBeDefined()
  const { session } = await watched.run.info()
  const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
  expect(one(next, 'done').response).toContain('afterwards')
})

test('runs cancelled right after their prompts end as cancelled, and their process stays', async () => {
  const first = await suite.mux.run({ prompt: 'scn:text:first', cwd: suite.cwd })
  await first.result()
  const { session } = first
  const { process } = await suite.mux.api.session.get({ session })
  // Several runs, because an interrupt that overtakes the start of its turn stops nothing and must be sent again.
  for (let count = 0; count < 8; count++) {
    const watched = watch(await suite.mux.run({ prompt: 'scn:endless', session }))
    await watched.run.cancel()
    expect(one(await watched.ended(), 'cancelled')).toBeDefined()
  }
  const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
  expect(one(next, 'done').response).toContain('afterwards')
  expect((await suite.mux.api.session.get({ session })).process).toEqual(process)
})

test('a cancel aborts the request of a compaction', async () => {
  const first = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
  await first.until('assistant_text')
  await first.run.cancel()
  await first.ended()
  const { session } = await first.run.info()
  const watched = watch(await suite.mux.run({ prompt: '/compact', session }))
  await watched.until('status', event => event.status === 'compacting')
  await watched.run.cancel()
  const events = await watched.ended()
  expect(suite.api.requests.at(-1)!.abandoned).toBe(true)
  // Claude Code reports a turn that ended successfully.
  expect(['cancelled', 'done']).toContain(events.at(-1)!.type)
  const next = await play(suite.mux, { prompt: 'scn:text:afterwards', session })
  expect(one(next, 'done').response).toContain('afterwards')
})

test('two simultaneous cancels produce one cancelled event', async () => {
  const watched = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
  await watched.until('assistant_text')
  await Promise.all([watched.run.cancel('first'), watched.run.cancel('second')])
  const events = await watched.ended()
  expect(one(events, 'cancelled').reason).toBe('first')
})

test('cancelling the active run starts the queued one, and a cancelled queued run is never sent', async () => {
  const first = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
  await first.until('assistant_text')
  const { session } = await first.run.info()
  const second = watch(await suite.mux.run({ prompt: 'scn:text:queued', session }))
  const third = watch(await suite.mux.run({ prompt: 'scn:text:dropped', session }))
  await third.run.cancel()
  await first.run.cancel()
  expect(one(await first.ended(), 'cancelled')).toBeDefined()
  expect(one(await second.ended(), 'done').response).toContain('queued')
  expect(suite.api.requests.filter(each => each.argument === 'dropped')).toEqual([])
  expect(await third.run.info()).toMatchObject({ state: 'cancelled' })
})

describe('a prompt right after an external SIGINT', () => {
  test('is sent to the next process, or fails as retryable if its turn had begun', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await suite.mux.run({ prompt: 'scn:text:one', cwd: suite.cwd })
      await first.result()
      const { session } = await first.info()
      const { process: live } = await suite.mux.api.session.get({ session })
      process.kill(live!.pid, 'SIGINT')
      const next = await play(suite.mux, { prompt: 'scn:text:two', session })
      if (next.at(-1)!.type === 'done') {
        expect(one(next, 'done').response).toContain('two')
      } else {
        expect(one(next, 'session_init')).toBeDefined()
        expect(one(next, 'failed').failure).toMatchObject({ code: 'crashed', retryable: true })
      }
    }
  })
})
