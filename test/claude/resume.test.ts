import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assistantTexts, userTexts } from '../support/messages-api/index.ts'
import { startSuite, waitOptions, type Suite } from './support/suite.ts'
import { one, play, watch } from './support/watch.ts'
import { until } from '../support/until.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite(['--idle-close-ms', '0'])
})
afterAll(() => suite.close())

/** Returns the texts of the conversation in the newest request to the model. */
const shown = () => {
  const { body } = suite.api.requests.at(-1)!
  return { user: userTexts(body), assistant: assistantTexts(body) }
}
const sessionOf = async (run: string) => (await suite.mux.api.run.get({ run })).session
const noProcess = () => until(() => expect(suite.claudes()).toEqual([]), waitOptions)

describe('a conversation', () => {
  test('is resumed after its process was closed', async () => {
    const first = await play(suite.mux, { prompt: 'scn:text:earlier', cwd: suite.cwd })
    await noProcess()
    const second = await play(suite.mux, { prompt: 'scn:text:later', session: await sessionOf(first[0]!.run!) })
    expect(one(second, 'done').response).toContain('later')
    expect(shown().user).toEqual(expect.arrayContaining(['scn:text:earlier', 'scn:text:later']))
    expect(shown().assistant).toContain('The answer is earlier, says the stand-in.')
    expect(one(second, 'session_init').claudeSessionId).toBe(one(first, 'session_init').claudeSessionId)
    expect(one(second, 'cost').runCostUsd).toBeLessThan(one(second, 'cost').costUsd)
  })

  test('is resumed after the daemon was stopped and started', async () => {
    const first = await play(suite.mux, { prompt: 'scn:text:before', cwd: suite.cwd })
    await suite.restart()
    const second = await play(suite.mux, { prompt: 'scn:text:after', session: await sessionOf(first[0]!.run!) })
    expect(one(second, 'done').response).toContain('after')
    expect(shown().user).toEqual(expect.arrayContaining(['scn:text:before', 'scn:text:after']))
    expect(second[0]!.seq).toBe(first.at(-1)!.seq + 1)
  })

  test('continues in the same run when the daemon is killed', async () => {
    const run = await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd })
    const before = watch(run)
    await before.until('assistant_text', event => event.delta.startsWith('5'))
    const [claude] = suite.claudes()
    await suite.kill()
    expect(suite.claudes()).toEqual([claude])
    const after = watch(suite.mux.attach(run.id))
    await after.until('assistant_text', event => event.delta.startsWith('9'))
    await after.run.cancel('enough')
    const events = await after.ended()
    expect(one(events, 'cancelled').response).toMatch(/^1 2 3 4 5 6 7 8 9/)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1))
    expect(events.map(({ type }) => type)).not.toContain('log_damaged')
    const next = await play(suite.mux, { prompt: 'scn:text:next', session: run.session })
    expect(one(next, 'done').response).toContain('next')
  })

  test('is resumed after a run that was cancelled in its text', async () => {
    const cancelled = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
    await cancelled.until('assistant_text', event => event.delta.startsWith('5'))
    await cancelled.run.cancel()
    expect(one(await cancelled.ended(), 'cancelled').response).toMatch(/^1 2 3 4 5/)
    const next = await play(suite.mux, { prompt: 'scn:text:next', session: await sessionOf(cancelled.run.id) })
    expect(one(next, 'done').response).toContain('next')
    expect(shown().user).toContain('scn:endless')
    expect(shown().assistant.join('')).toMatch(/1 2 3 4 5/)
  })

  test('is resumed after a process that was killed from outside, which fails its run', async () => {
    const first = await play(suite.mux, { prompt: 'scn:text:once', cwd: suite.cwd })
    const session = await sessionOf(first[0]!.run!)
    await noProcess()
    const killed = watch(await suite.mux.run({ prompt: 'scn:endless', session }))
    await killed.until('assistant_text')
    for (const { pid } of suite.claudes()) process.kill(pid, 'SIGKILL')
    const { failure } = one(await killed.ended(), 'failed')
    expect(failure).toMatchObject({ code: 'killed', signal: 'SIGKILL' })
    const next = await play(suite.mux, { prompt: 'scn:text:again', session })
    expect(one(next, 'done').response).toContain('again')
    expect(shown().user).toContain('scn:text:once')
  })
})

test('a process with idleCloseMs 0 waits for its background task, which becomes a run, and then ends', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:background', cwd: suite.cwd })
  expect((await handle.result()).response).toBe('It runs in the background.')
  await noProcess()
  await until(async () => {
    const { runs } = await suite.mux.api.run.list({ session: handle.session })
    expect(runs.map(({ state, result }) => [state, result?.response])).toEqual([
      ['done', 'The background task has ended.'],
      ['done', 'It runs in the background.'],
    ])
  }, waitOptions)
})

test('a session whose very first process was killed works with the next one', async () => {
  const killed = watch(await suite.mux.run({ prompt: 'scn:silent', cwd: suite.cwd }))
  await killed.until('session_init')
  for (const { pid } of suite.claudes()) process.kill(pid, 'SIGKILL')
  expect(one(await killed.ended(), 'failed').failure.code).toBe('killed')
  const next = await play(suite.mux, { prompt: 'scn:text:again', session: await sessionOf(killed.run.id) })
  expect(one(next, 'done').response).toContain('again')
})

test('a daemon stopped in the middle of a run ends it as interrupted, and its tools with it', async () => {
  const handle = await suite.mux.run({ prompt: 'scn:long-tool:stopped', cwd: suite.cwd })
  await watch(handle).until('tool_use')
  await until(
    () => expect(suite.processes().some(each => each.commandLine.includes('/stopped'))).toBe(true),
    waitOptions,
  )
  await suite.restart() // It checks that no process is left.
  expect(await suite.mux.api.run.get({ run: handle.id })).toMatchObject({ state: 'interrupted' })
  const next = await play(suite.mux, { prompt: 'scn:text:again', session: await sessionOf(handle.id) })
  expect(one(next, 'done').response).toContain('again')
})
