import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RpcError } from '../../client/sdk/index.ts'
import { userTexts } from '../support/messages-api/index.ts'
import { testAfter } from './support/newer-than.ts'
import { startSuite, waitOptions, type Suite } from './support/suite.ts'
import { ofType, one, play, watch } from './support/watch.ts'
import { until } from '../support/until.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

const api = () => suite.mux.api
/** Returns what the user has said in the conversation of the newest request. */
const said = () => userTexts(suite.api.requests.at(-1)!.body).filter(each => each.startsWith('scn:'))
const say = (session: string, prompt: string) => play(suite.mux, { prompt, session })
const begin = async (prompt: string) => {
  const run = await suite.mux.run({ prompt, cwd: suite.cwd })
  await watch(run).ended()
  return run.session
}
const close = async (session: string) => {
  await api().session.close({ session })
  await until(async () => expect((await api().session.get({ session })).process).toBeNull(), waitOptions)
}
const refusal = (call: Promise<unknown>) =>
  call.then(
    result => expect.fail(`not refused: ${JSON.stringify(result)}`),
    (error: RpcError) => ({ kind: error.kind, message: error.message, ...(error.data as object) }),
  )

/** Runs `claude -p` as in a terminal. Returns its session id and its cost in USD. */
const plain = async (prompt: string, cwd = suite.cwd): Promise<{ id: string; costUsd: number }> => {
  const args = ['-p', '--output-format', 'json', prompt]
  const child = spawn(process.env['MUXD_TEST_CLAUDE_BIN']!, args, {
    cwd,
    env: suite.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { session_id: id, total_cost_usd: costUsd } = JSON.parse(await text(child.stdout)) as Printed
  return { id, costUsd }
}
interface Printed {
  session_id: string
  total_cost_usd: number
}
const transcripts = () =>
  readdirSync(join(suite.env['HOME']!, '.claude/projects'), { recursive: true, encoding: 'utf8' })

describe('a fork', () => {
  test('has the conversation so far, and later prompts in source or fork do not appear in the other', async () => {
    const source = await begin('scn:text:one')
    await say(source, 'scn:bash')
    const { costUsd, process } = await api().session.get({ session: source })
    const { session } = await api().session.fork({ session: source })
    await say(source, 'scn:text:only-in-the-source')
    expect((await api().session.get({ session: source })).process).toEqual(process)
    const first = await say(session, 'scn:text:only-in-the-fork')
    expect(said()).toEqual(['scn:text:one', 'scn:bash', 'scn:text:only-in-the-fork'])
    await say(source, 'scn:text:again')
    expect(said()).toEqual(['scn:text:one', 'scn:bash', 'scn:text:only-in-the-source', 'scn:text:again'])
    await close(session)
    await say(session, 'scn:text:resumed')
    expect(said()).toEqual(['scn:text:one', 'scn:bash', 'scn:text:only-in-the-fork', 'scn:text:resumed'])
    // The fork pays for its own runs only, and so does the source.
    const { runCostUsd } = one(first, 'cost')
    expect(runCostUsd).toBeLessThan(costUsd)
    expect((await api().session.get({ session })).costUsd).toBeCloseTo(2 * runCostUsd, 9)
    expect((await api().session.get({ session: source })).costUsd).toBeCloseTo(costUsd + 2 * runCostUsd, 9)
  })

  test('of an interrupted, failed or compacted conversation can be used', async () => {
    const source = await begin('scn:text:one')
    const cancelled = watch(await suite.mux.run({ prompt: 'scn:endless', session: source }))
    await cancelled.until('assistant_text')
    await cancelled.run.cancel()
    await cancelled.ended()
    const forks = [await api().session.fork({ session: source })]
    await say(source, 'scn:error-400')
    forks.push(await api().session.fork({ session: source }))
    await say(source, '/compact')
    forks.push(await api().session.fork({ session: source }))
    for (const { session } of forks) expect(one(await say(session, 'scn:text:on'), 'done').response).toContain('on')
  })
})

describe('a conversation of a plain claude', () => {
  test('is listed and imported with its history, and its earlier cost is not counted', async () => {
    const { id, costUsd } = await plain('scn:text:in-a-terminal')
    const { conversations } = await api().session.importable({ cwd: suite.cwd })
    expect(conversations[0]).toMatchObject({ conversationId: id, prompt: 'scn:text:in-a-terminal' })
    const { session } = await api().session.create({ cwd: suite.cwd, conversationId: id })
    const events = await say(session, 'scn:text:in-muxd')
    expect(said()).toEqual(['scn:text:in-a-terminal', 'scn:text:in-muxd'])
    expect(one(events, 'session_init').claudeSessionId).toBe(id)
    expect(one(events, 'cost').runCostUsd).toBeCloseTo(costUsd, 9)
    expect(await refusal(api().session.create({ cwd: suite.cwd, conversationId: id }))).toMatchObject({
      kind: 'conflict',
      session,
    })
  })

  test.each([
    ['with special characters and non-ASCII letters', () => 'we ird_dir.äöü-X+y'],
    ['with a path longer than a folder name may be', () => join('l'.repeat(120), 'm'.repeat(120))],
  ])('is found in a directory %s', async (_, name) => {
    const cwd = join(suite.cwd, name())
    mkdirSync(cwd, { recursive: true })
    const { id } = await plain('scn:text:there', cwd)
    expect((await api().session.importable({ cwd })).conversations).toMatchObject([{ conversationId: id }])
    expect(await api().session.create({ cwd, conversationId: id })).toMatchObject({ conversationId: id })
    expect(await refusal(api().session.create({ cwd: suite.cwd, conversationId: id }))).toMatchObject({
      kind: expect.stringMatching('not_found|conflict') as string,
    })
  })

  test('is found behind a symbolic link', async () => {
    const link = join(suite.cwd, 'link')
    symlinkSync(suite.cwd, link)
    const { id } = await plain('scn:text:linked', link)
    expect(await api().session.create({ cwd: link, conversationId: id })).toMatchObject({ cwd: suite.cwd })
  })

  testAfter('2.1.197', 'it does not say which conversations are open')(
    'is refused while the plain claude has it open',
    async () => {
      const { id } = await plain('scn:text:before')
      const { session } = await api().session.create({ cwd: suite.cwd, conversationId: id })
      const claude = spawn(process.env['MUXD_TEST_CLAUDE_BIN']!, ['-p', '--resume', id, 'scn:endless'], {
        cwd: suite.cwd,
        env: suite.env,
        stdio: 'ignore',
      })
      try {
        // muxd sees that the conversation is in use only after Claude Code has listed it.
        const entry = join(suite.env['HOME']!, '.claude/sessions', `${claude.pid}.json`)
        await until(() => expect(readFileSync(entry, 'utf8')).toContain(id), waitOptions)
        expect(await refusal(suite.mux.run({ prompt: 'scn:text:x', session }))).toMatchObject({
          kind: 'conflict',
          pid: claude.pid,
        })
      } finally {
        claude.kill('SIGKILL')
        await new Promise(resolve => claude.once('close', resolve))
      }
      await say(session, 'scn:text:after')
      expect(said()).toContain('scn:text:before')
    },
  )
})

describe('model and mode', () => {
  test('changed between two runs apply from the next request on, also in the next process', async () => {
    const session = await begin('scn:text:one')
    const { process } = await api().session.get({ session })
    const after = await api().session.update({ session, model: 'claude-haiku-4-5', permissionMode: 'plan' })
    expect(after).toMatchObject({ process, permissionMode: 'plan' })
    const events = await say(session, 'scn:text:two')
    expect(suite.api.requests.at(-1)!.body.model).toBe('claude-haiku-4-5')
    expect(one(events, 'session_init')).toMatchObject({ model: 'claude-haiku-4-5', permissionMode: 'plan' })
    await close(session)
    await say(session, 'scn:text:three')
    expect(suite.api.requests.at(-1)!.body.model).toBe('claude-haiku-4-5')
  })

  test('the mode changed during a run is reported by Claude Code', async () => {
    const running = watch(await suite.mux.run({ prompt: 'scn:endless', cwd: suite.cwd }))
    await running.until('assistant_text')
    const { session } = running.run as unknown as { session: string }
    expect(await api().session.update({ session, permissionMode: 'acceptEdits' })).toMatchObject({
      options: { permissionMode: 'acceptEdits' },
    })
    await until(
      async () => expect((await api().session.get({ session })).permissionMode).toBe('acceptEdits'),
      waitOptions,
    )
    await running.run.cancel()
    await running.ended()
  })

  test('an unknown mode changes nothing', async () => {
    const session = await begin('scn:text:one')
    const before = await api().session.get({ session })
    expect(await refusal(api().session.update({ session, permissionMode: 'bogus', title: 'x' }))).toMatchObject({
      kind: 'invalid_params',
      message: expect.stringContaining('expected one of default, ') as string,
    })
    expect(await api().session.get({ session })).toEqual(before)
  })
})

test('a run without its transcript fails with resume_failed until the conversation is abandoned', async () => {
  const session = await begin('scn:text:one')
  await close(session)
  const { conversationId } = await api().session.get({ session })
  const file = transcripts().find(name => name.endsWith(`${conversationId}.jsonl`))!
  rmSync(join(suite.env['HOME']!, '.claude/projects', file))
  expect(one(await say(session, 'scn:text:two'), 'failed').failure).toMatchObject({ code: 'resume_failed' })
  expect((await api().session.get({ session })).conversationId).toBe(conversationId)
  await api().session.update({ session, conversationId: null })
  const events = await say(session, 'scn:text:three')
  expect(one(events, 'done').response).toContain('three')
  expect(said()).toEqual(['scn:text:three'])
})

test('after a /clear the session goes on with the new conversation, also in the next process', async () => {
  const session = await begin('scn:text:one')
  const before = (await api().session.get({ session })).conversationId
  const cleared = await say(session, '/clear')
  expect(ofType(cleared, 'claude_session_changed')).toMatchObject([{ from: before }])
  await close(session)
  await say(session, 'scn:text:two')
  expect(said()).toEqual(['scn:text:two'])
})
