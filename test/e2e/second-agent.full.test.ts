import { spawnSync } from 'node:child_process'
import { openSync, closeSync, constants, writeSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { connect, type Event, type Gap, type Mux } from '../../client/sdk/index.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { buildEchoDaemon, echoScript } from '../support/echo-agent/build.ts'
import { timing } from '../support/follower.ts'
import { createTempDir, tempDir } from '../support/temp-dir.ts'
import { until as poll } from '../support/until.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'

// A daemon with a second agent, whose program is a shell script with its own line format.

let daemonProgram: string
beforeAll(async () => {
  const directory = createTempDir()
  daemonProgram = await buildEchoDaemon(directory.path)
  return () => directory.remove()
})

const startDaemon = (options: { home?: string; script?: string; hasEcho?: boolean } = {}) =>
  startTestDaemon({
    ...(options.hasEcho !== false && { daemonProgram }),
    env: { ECHO_AGENT: options.script ?? echoScript },
    ...(options.home !== undefined && { home: options.home }),
  })

async function client({ home }: TestDaemon, name: string): Promise<Mux> {
  const mux = await connect({ home, timing, client: { name, version: '1' } })
  onTestFinished(() => mux.close())
  return mux
}

async function newSession(mux: Mux): Promise<string> {
  const { session } = await mux.api.session.create({ cwd: tempDir(), agent: 'echo' })
  return session
}

/** Waits until the daemon has looked for its agents, and expects `hello` to list these. */
async function agentsAre(daemon: TestDaemon, mux: Mux, kinds: string[]) {
  const kindsOf = (agents: readonly { kind: string }[]) => agents.map(({ kind }) => kind)
  await poll(async () => expect(kindsOf((await mux.api.daemon.status({})).agents)).toEqual(kinds))
  expect(kindsOf((await client(daemon, 'later')).hello!.agents)).toEqual(kinds)
}

/** A FIFO whose lines the agent repeats. The writer keeps it open until `close`. */
function createFeed() {
  const path = join(tempDir(), 'feed')
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
  // Opened for both directions, so that it does not wait for the reader.
  const file = openSync(path, constants.O_RDWR)
  let isOpen = true
  const close = () => {
    if (isOpen) closeSync(file)
    isOpen = false
  }
  onTestFinished(close)
  return { path, say: (...lines: string[]) => void writeSync(file, lines.map(line => `${line}\n`).join('')), close }
}

const textOf = (events: readonly (Event | Gap)[]) =>
  events.flatMap(event => (event.type === 'assistant_text' ? [event.delta.trim()] : []))

/** Reads events until one of them fits. */
async function until(events: AsyncIterator<Event | Gap>, fits: (event: Event | Gap) => boolean) {
  const read: (Event | Gap)[] = []
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error(`the events ended: ${JSON.stringify(read)}`)
    read.push(value)
    if (fits(value)) return read
  }
}

async function restOf(events: AsyncIterable<Event | Gap>) {
  const read: (Event | Gap)[] = []
  for await (const event of events) read.push(event)
  return read
}

const said = (text: string) => (event: Event | Gap) => event.type === 'assistant_text' && event.delta === `${text}\n`

it('a second agent runs prompts, resumes its conversation, and is named in the record and in hello', async () => {
  const daemon = await startDaemon()
  const mux = await client(daemon, 'test')
  await agentsAre(daemon, mux, ['claude', 'echo'])
  const session = await newSession(mux)
  const run = await mux.run({ session, prompt: 'one two' })
  const events = await restOf(run.events())
  expect(textOf(events)).toEqual(['one', 'two'])
  expect(events.at(-1)).toMatchObject({ type: 'done', response: 'one\ntwo\n', numTurns: 1 })

  const first = await mux.api.session.get({ session })
  expect(first).toMatchObject({ agent: 'echo', conversationId: expect.any(String), state: 'idle' })
  const { session: updated } = await mux.api.session.update({ session, model: 'loud' })
  expect(updated).toBe(session)

  await mux.api.session.close({ session })
  expect(await (await mux.run({ session, prompt: 'three' })).result()).toMatchObject({ response: 'three\n' })
  const log = await readLog<Event>(params => mux.api.topic.read(params), session)
  expectWholeLog(log)
  const inits = log.filter(event => event.type === 'session_init')
  expect(inits.map(event => event.claudeSessionId)).toEqual([first.conversationId, first.conversationId])
  expect(await mux.api.session.get({ session })).toMatchObject({ agent: 'echo', conversationId: first.conversationId })

  const frames = (await mux.api.topic.read({ topic: `session/${session}/frames`, after: 0 })) as {
    events: { frame: unknown }[]
  }
  expect(frames.events.map(({ frame }) => frame)).toContainEqual(expect.objectContaining({ word: 'say', text: 'one' }))
})

it('a daemon with two agents refuses an unknown kind and the options of another agent', async () => {
  const mux = await client(await startDaemon(), 'test')
  const cwd = tempDir()
  await expect(mux.api.session.create({ cwd, agent: 'codex' })).rejects.toMatchObject({
    kind: 'invalid_params',
    message: 'session.create: agent must be "claude" or "echo", not "codex"',
    data: { path: '/agent', expected: '"claude" or "echo"' },
  })
  await expect(mux.api.run.start({ create: { cwd, agent: 'codex' }, prompt: 'x' })).rejects.toMatchObject({
    kind: 'invalid_params',
    data: { path: '/create/agent' },
  })
  await expect(mux.api.session.create({ cwd, agent: 'echo', options: { maxTurns: 1 } })).rejects.toMatchObject({
    kind: 'invalid_params',
    data: { path: '/options/maxTurns' },
  })
  expect(await (await mux.run({ cwd, prompt: 'sim:text' })).wait()).toMatchObject({ state: 'done' })
})

it('a second agent whose program is missing is not in hello, and its runs are refused with what to do', async () => {
  const script = join(tempDir(), 'missing.sh')
  const daemon = await startDaemon({ script })
  const mux = await client(daemon, 'test')
  await agentsAre(daemon, mux, ['claude'])
  await expect(mux.run({ session: await newSession(mux), prompt: 'x' })).rejects.toMatchObject({
    kind: 'agent_unavailable',
    data: { agent: 'echo', tried: [script], install: `put the script at ${script}` },
  })
})

it('a run of a second agent is cancelled by its own word, and the session goes on', async () => {
  const mux = await client(await startDaemon(), 'test')
  const session = await newSession(mux)
  const feed = createFeed()
  const run = await mux.run({ session, prompt: `repeat ${feed.path}` })
  const events = run.events()
  feed.say('begun')
  await until(events, said('begun'))
  await run.cancel('enough')
  const rest = await restOf(events)
  expect(rest.map(({ type }) => type)).toEqual(['cancel_requested', 'cancelled'])
  expect(rest.at(-1)).toMatchObject({ reason: 'enough', ended: 'turn', response: 'begun\n' })
  expect(await (await mux.run({ session, prompt: 'next' })).result()).toMatchObject({ response: 'next\n' })
})

it('questions of a second agent are answered by another client: an approval, a denial and a choice', async () => {
  const daemon = await startDaemon()
  const [asker, answerer] = [await client(daemon, 'asker'), await client(daemon, 'answerer')]
  const session = await newSession(asker)
  const approvals = answerer.approvals({ session })
  const ask = async (prompt: string) => {
    const run = await asker.run({ session, prompt })
    const { value } = await approvals.next()
    return { run, approval: value! }
  }

  const allowed = await ask('tool hello')
  expect(allowed.approval).toMatchObject({ kind: 'tool', tool: 'Say', input: { text: 'hello' }, run: allowed.run.id })
  await allowed.approval.allow({ input: { text: 'good morning' } })
  expect(await allowed.run.result()).toMatchObject({ response: 'good\nmorning\n' })

  const denied = await ask('tool hello')
  await denied.approval.deny('not now')
  expect(await denied.run.result()).toMatchObject({ response: 'refused:\nnot\nnow\n' })

  const chosen = await ask('choose tea coffee')
  expect(chosen.approval).toMatchObject({ kind: 'question', tool: 'Choose' })
  await chosen.approval.allow({ answers: { 'Which?': 'coffee' } })
  expect(await chosen.run.result()).toMatchObject({ response: 'coffee\n' })

  const log = await readLog<Event>(params => asker.api.topic.read(params), session)
  expectWholeLog(log)
  const resolved = log.filter(event => event.type === 'approval_resolved')
  expect(resolved.map(({ decision, by }) => [decision, (by as { name: string }).name])).toEqual([
    ['allow', 'answerer'],
    ['deny', 'answerer'],
    ['allow', 'answerer'],
  ])
})

it('a run of a second agent and its question survive kill -9 of the daemon, and no event is lost or doubled', async () => {
  const daemon = await startDaemon()
  const { home } = daemon
  const mux = await client(daemon, 'test')
  const [session, other] = [await newSession(mux), await newSession(mux)]
  const feed = createFeed()
  const run = await mux.run({ session, prompt: `repeat ${feed.path}` })
  const asking = await mux.run({ session: other, prompt: 'tool still there' })
  const approvals = mux.approvals({ session: other })
  const question = (await approvals.next()).value!
  const events = run.events()
  feed.say('before', 'the', 'kill')
  const seen = await until(events, said('kill'))

  await daemon.kill()
  // The agent goes on without a daemon.
  feed.say('while', 'it', 'is', 'gone')
  await startDaemon({ home })
  seen.push(...(await until(events, said('gone'))))
  feed.say('and', 'after')
  feed.close()
  seen.push(...(await restOf(events)))
  expect(textOf(seen)).toEqual(['before', 'the', 'kill', 'while', 'it', 'is', 'gone', 'and', 'after'])
  expect(seen.at(-1)).toMatchObject({ type: 'done', response: 'before\nthe\nkill\nwhile\nit\nis\ngone\nand\nafter\n' })

  expect(await mux.api.approval.get({ approval: question.approval })).toMatchObject({ state: 'pending' })
  await question.allow()
  expect(await asking.result()).toMatchObject({ response: 'still\nthere\n' })
  for (const each of [session, other]) {
    const log = await readLog<Event>(params => mux.api.topic.read(params), each)
    expectWholeLog(log)
    expect(log.map(({ type }) => type)).not.toContain('log_damaged')
    expect(log.filter(({ type }) => type === 'session_init')).toHaveLength(1)
  }
})

it('a daemon without an agent shows its sessions, and leaves their processes to the next daemon that has it', async () => {
  const daemon = await startDaemon()
  const { home } = daemon
  const mux = await client(daemon, 'test')
  const [session, unused] = [await newSession(mux), await newSession(mux)]
  const feed = createFeed()
  const run = await mux.run({ session, prompt: `repeat ${feed.path}` })
  const events = run.events()
  feed.say('before')
  const seen = await until(events, said('before'))
  await daemon.kill()

  const without = await startDaemon({ home, hasEcho: false })
  expect(await mux.api.session.get({ session })).toMatchObject({ agent: 'echo', state: 'running' })
  await expect(mux.run({ session: unused, prompt: 'x' })).rejects.toMatchObject({
    kind: 'agent_unavailable',
    message: 'this muxd has no agent "echo", it has "claude"',
    data: { agent: 'echo', tried: [] },
  })
  await mux.api.session.delete({ session: unused })
  feed.say('meanwhile')
  await without.kill()

  await startDaemon({ home })
  feed.close()
  seen.push(...(await restOf(events)))
  expect(seen.at(-1)).toMatchObject({ type: 'done', response: 'before\nmeanwhile\n' })
  expectWholeLog(await readLog<Event>(params => mux.api.topic.read(params), session))
})
