import * as fc from 'fast-check'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { errors } from '../../protocol/index.ts'
import { arbitraryOf } from '../support/arbitrary-of.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { methodRows } from '../support/method-rows.ts'
import { nearly } from '../support/nearly.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** The environment may set a lower number for a quick look: `MUXD_FUZZ_CALLS=500`. */
const calls = Number(process.env['MUXD_FUZZ_CALLS'] ?? 20_000)
const callsAtOnce = 100

/** Methods that end the daemon have their own tests (`test/e2e/daemon-end.full.test.ts`). */
const endsTheDaemon = new Set(['daemon.stop'])

/** A placeholder for an id that exists when the message is sent, because earlier answers decide which ids exist. */
const known = (kind: string) => fc.nat(999).map(index => `${kind}_known${index}`)
const known2id = /([srta])_known(\d+)/g

it(`each of ${calls} valid and invalid calls gets a defined answer, and the daemon keeps working`, async () => {
  const daemon = await startTestDaemon({ config: { maxRuns: 4, idleCloseMs: 1_000, logLevel: 'warn' } })
  const control = await daemon.peer()
  const ids = createIds()
  const world = { cwd: tempDir(), daemon, ids }
  const { memory } = await control.call<Status>('daemon.status')

  const message = messages(world.cwd)
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: callsAtOnce, maxLength: callsAtOnce }),
      fc.constantFrom('token', 'token', 'token', 'observeToken' as const),
      (texts, token) => exchange(world, texts, daemon.info[token as 'token']),
    ),
    { numRuns: Math.ceil(calls / callsAtOnce), endOnFailure: true },
  )

  // Once the runs that the calls started have been ended, the daemon works as before.
  for (const state of ['queued', 'running', 'cancelling']) {
    const { runs } = await control.call<{ runs: { run: string }[] }>('run.list', { state, limit: 1_000 })
    await Promise.all(runs.map(({ run }) => control.call('run.cancel', { run, mode: 'kill' })))
  }
  await until(async () => {
    const { runs } = await control.call<Status>('daemon.status')
    expect([runs['queued'], runs['running'], runs['cancelling']].filter(Boolean)).toEqual([])
  })
  const create = { cwd: world.cwd }
  const { run } = await control.call<{ run: string }>('run.start', { create, prompt: 'sim:text' })
  expect(await control.call('run.wait', { run })).toMatchObject({ state: 'done' })
  const after = await control.call<Status>('daemon.status')
  expect(after).toMatchObject({ pid: daemon.pid, connections: 1, subscriptions: 0 })
  expect(after.memory.rssBytes - memory.rssBytes).toBeLessThan(256 * 1024 * 1024)
  expect(daemon.log()).not.toMatch(/"level":"error"/)
}, 300_000)

interface Status {
  pid: number
  runs: Record<string, number>
  memory: { rssBytes: number }
}

/** Returns texts that a peer sends. */
function messages(cwd: string): fc.Arbitrary<string> {
  const names = [...methodRows.keys()].filter(name => !endsTheDaemon.has(name))
  const valid = (name: string) => arbitraryOf(methodRows.get(name)!.params, harmless(cwd))
  const call = (params: (name: string) => fc.Arbitrary<unknown>) =>
    fc.constantFrom(...names).chain(method => params(method).map(each => ({ method, params: bounded(method, each) })))
  const asText = ({ method, params }: { method: string; params: unknown }, id: unknown) =>
    JSON.stringify({ jsonrpc: '2.0', id, method, params })
  const id = fc.oneof(fc.nat(), fc.string({ minLength: 1, maxLength: 10 }))
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(call(valid), id).map(([each, own]) => asText(each, own)) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          call(name => nearly(valid(name))),
          id,
        )
        .map(([each, own]) => asText(each, own)),
    },
    {
      weight: 1,
      arbitrary: nearly(fc.tuple(call(valid), id).map(([each, own]) => ({ jsonrpc: '2.0', id: own, ...each }))).map(
        each => JSON.stringify(each),
      ),
    },
    { weight: 1, arbitrary: garbage },
  )
}

// More levels than code that walks params recursively can descend.
const deep = (levels: number) =>
  `{"jsonrpc":"2.0","id":1,"method":"session.create","params":{"cwd":"/","key":"k","x":${'['.repeat(levels)}${']'.repeat(levels)}}}`

const garbage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.json({ maxDepth: 4 }),
  fc.constantFrom('', '[]', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', '{"__proto__":1}', '"'.repeat(1_000)),
  fc.constantFrom('['.repeat(20_000), '{"a":'.repeat(20_000), deep(100), deep(20_000)),
  fc
    .constantFrom('__proto__', 'constructor', 'session', 'session.', '.get', 'session.__proto__', 'run.start.x', 'é\0')
    .map(method => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} })),
)

/** Prompts, directories and times that cost little, and ids and topics that exist. */
const harmless =
  (cwd: string) =>
  (path: string): fc.Arbitrary<unknown> | undefined => {
    switch (path.slice(path.lastIndexOf('/') + 1)) {
      case 'cwd':
        return fc.constantFrom(cwd, cwd, cwd, '/', `${cwd}/missing`, 'relative', `${cwd}\0`)
      case 'prompt':
        return fc.constantFrom(
          'sim:text',
          'sim:tools takesMs=1',
          'sim:crash',
          'sim:permission',
          'sim:question',
          'hello',
          ' ',
          '\u{d800}\0',
        )
      case 'session':
        return known('s')
      case 'run':
        return known('r')
      case 'approval':
        return known('a')
      case 'id':
        return known('t')
      case 'topic':
        return fc.oneof(
          fc.constantFrom('sessions', 'daemon'),
          known('s').map(session => `session/${session}`),
          known('s').map(session => `session/${session}/frames`),
        )
      default:
        return undefined
    }
  }

// `run.wait` answers only when its run has ended, which may be far down the queue.
const bounded = (method: string, params: unknown): unknown =>
  method === 'run.wait' && typeof params === 'object' && params !== null && (params as Wait).timeoutMs !== -1
    ? { ...params, timeoutMs: 20 }
    : params
type Wait = { timeoutMs?: unknown }

interface Ids {
  note(result: unknown): void
  inText(text: string): string
}

/** Keeps the ids in answers, the latest few hundred of each kind. */
function createIds(): Ids {
  const ids: Record<string, string[]> = { s: [], r: [], t: [], a: [] }
  return {
    note(result) {
      for (const [found, kind] of JSON.stringify(result ?? null).matchAll(/(?<=")([srta])_[\w-]{21}(?=")/g)) {
        if (!ids[kind!]!.includes(found)) ids[kind!] = [...ids[kind!]!.slice(-300), found]
      }
    },
    inText: text =>
      text.replace(
        known2id,
        (none, kind: string, index: string) => ids[kind]![Number(index) % ids[kind]!.length] ?? none,
      ),
  }
}

interface Answer {
  id: unknown
  method?: string
  result?: unknown
  error?: { code: number; message: string; data: { kind: keyof typeof errors } }
}

/** Sends the texts at once on a separate connection and checks the answers. */
async function exchange({ daemon, ids }: { daemon: TestDaemon; ids: Ids }, texts: string[], token: string) {
  const socket = new WebSocket(daemon.info.url, ['muxd.v1'], { headers: { authorization: `Bearer ${token}` } })
  const answers: Answer[] = []
  let closedWith: number | undefined
  socket.on('message', data => {
    const answer = JSON.parse((data as Buffer).toString()) as Answer
    if (answer.method === undefined) answers.push(answer)
  })
  socket.on('close', code => (closedWith = code))
  await once(socket, 'open')
  const hello = { protocol: [2], client: { name: 'fuzz', version: '1' } }
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'hello', method: 'hello', params: hello }))
  const sent = texts.map(ids.inText)
  for (const text of sent) socket.send(text)

  const due = ['hello', ...sent.flatMap(dueId)].map(id => JSON.stringify(id)).toSorted()
  const isOver = () => closedWith !== undefined || answers.length >= due.length
  // The checks below report missing answers.
  await until(() => expect(isOver()).toBe(true), { timeout: 60_000 }).catch(() => undefined)
  if (closedWith !== undefined) throw new Error(`closed with ${closedWith}: ${shown(sent)}`)
  const given = answers.map(({ id }) => JSON.stringify(id)).toSorted()
  if (given.join() !== due.join()) throw new Error(`answered were ${given.join()}, due ${due.join()}: ${shown(sent)}`)
  for (const answer of answers) {
    if (isGood(answer)) ids.note(answer.result)
    else {
      const asked = sent.filter(text => dueId(text).includes(answer.id))
      throw new Error(`${JSON.stringify(answer)} answers ${shown(asked)}\n${errorsIn(daemon.log())}`)
    }
  }
  socket.close()
  await until(() => expect(closedWith).toBeDefined())
}

/** A result, or an error of the protocol's table other than `internal`. */
const isGood = ({ result, error }: Answer) =>
  error === undefined
    ? typeof result === 'object'
    : error.data.kind !== 'internal' && errors[error.data.kind]?.code === error.code

/** Returns the id of the due answer: `[null]` if the text names none, `[]` for a notification. */
function dueId(text: string): unknown[] {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return [null]
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return [null]
  const { jsonrpc, id, method } = message as Record<string, unknown>
  const isNamed = jsonrpc === '2.0' && typeof method === 'string' && method.length <= 200
  if (id === undefined && isNamed) return []
  return (typeof id === 'string' && id.length <= 200) || Number.isInteger(id) ? [id] : [null]
}

const errorsIn = (log: string) =>
  log
    .split('\n')
    .filter(line => line.includes('"level":"error"'))
    .join('\n')
const shown = (texts: string[]) => texts.map(text => text.slice(0, 500)).join('\n')
