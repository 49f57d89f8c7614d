import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDelivery } from '../../daemon/notify/delivery.ts'
import type { Message } from '../../daemon/notify/message.ts'
import { createNotifications, type Notifications } from '../../daemon/notify/notifications.ts'
import type { NotificationTarget } from '../../daemon/notify/notification-target.ts'
import { NotTaken, postWebhook } from '../../daemon/notify/post-webhook.ts'
import { runCommand } from '../../daemon/notify/run-command.ts'
import { isAlive } from '../support/processes.ts'
import { event, run, session } from '../support/records.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { startReceiver } from './receiver.ts'

const message: Message = { event: 'done', session: 's_1', run: 'r_1', body: '{"event":{"type":"done"}}' }
const running = new AbortController().signal
const environment = { PATH: process.env['PATH'], MUXD_TOKEN: 'secret', COLOUR: 'blue' }

describe('a notification command', () => {
  const command = (script: string, ...args: string[]) => ['/bin/sh', '-c', script, 'sh', ...args]

  it('gets the message on standard input, its ids in the environment, and no further argument', async () => {
    const out = join(tempDir(), 'out')
    const script =
      'cat >"$1"; printf "\\n%s %s %s %s [%s] $#" $MUXD_EVENT $MUXD_SESSION $MUXD_RUN $COLOUR "$MUXD_TOKEN" >>"$1"'
    await runCommand({ command: command(script, out), environment, timeoutMs: 20_000 }, message, running)
    expect(readFileSync(out, 'utf8')).toBe(`${message.body}\ndone s_1 r_1 blue [] 1`)
  })

  it('is run without a shell', async () => {
    const out = join(tempDir(), '$(id) "quoted" ;')
    await runCommand({ command: ['/usr/bin/touch', out], environment, timeoutMs: 20_000 }, message, running)
    expect(existsSync(out)).toBe(true)
  })

  it('is over when it exits, even if it left its input unread and something running', async () => {
    const body = 'x'.repeat(1_000_000)
    const pidFile = join(tempDir(), 'pid')
    const script = 'sleep 300 & echo $! >"$1"'
    await runCommand(
      { command: command(script, pidFile), environment, timeoutMs: 20_000 },
      { ...message, body },
      running,
    )
    const left = Number(readFileSync(pidFile, 'utf8'))
    expect(isAlive(left)).toBe(true)
    process.kill(left, 'SIGKILL')
  })

  it('that fails rejects with its exit code, or with the reason why it did not start', async () => {
    const failing = runCommand(
      { command: command('echo no bus >&2; exit 3'), environment, timeoutMs: 20_000 },
      message,
      running,
    )
    await expect(failing).rejects.toThrow(/^it ended with 3: no bus$/)
    const missing = runCommand({ command: ['/nowhere/program'], environment, timeoutMs: 20_000 }, message, running)
    await expect(missing).rejects.toThrow('ENOENT')
  })

  it.each([
    ['that obeys SIGTERM', 'sleep 300 & echo $! >"$1"; wait'],
    [
      'that obeys SIGTERM and has a child that does not',
      'sh -c \'trap "" TERM; echo $$ >"$1"; exec sleep 300\' sh "$1" & wait',
    ],
    ['that ignores SIGTERM', 'trap "" TERM; sleep 300 & echo $! >"$1"; while :; do sleep 0.1; done'],
  ])('%s is killed after its timeout with everything that it started', async (_, script) => {
    const pidFile = join(tempDir(), 'pid')
    const slow = runCommand({ command: command(script, pidFile), environment, timeoutMs: 500 }, message, running)
    await expect(slow).rejects.toThrow('it took longer than 500 ms')
    const child = Number(readFileSync(pidFile, 'utf8'))
    await until(() => expect(isAlive(child)).toBe(false))
  })
})

describe('a webhook', () => {
  const post = (url: string, options: object = {}) =>
    postWebhook({ url, headers: {}, timeoutMs: 20_000, ...options }, message, running)

  it('gets the message as JSON with the configured headers', async () => {
    const { url, received } = await startReceiver(() => ({ status: 204 }))
    await post(url, { headers: { authorization: 'Bearer t', 'Content-Type': 'text/plain' } })
    expect(received).toMatchObject([
      {
        method: 'POST',
        path: '/hook',
        body: message.body,
        headers: { authorization: 'Bearer t', 'content-type': 'application/json', 'user-agent': 'muxd' },
      },
    ])
  })

  it('that redirects fails and is not followed', async () => {
    const elsewhere = await startReceiver(() => ({ status: 200 }))
    const { url, received } = await startReceiver(() => ({ status: 307, headers: { location: elsewhere.url } }))
    await expect(post(url)).rejects.toThrow(/^it answered 307$/)
    expect([received.length, elsewhere.received.length]).toEqual([1, 0])
  })

  it.each([
    [400, false],
    [404, false],
    [429, true],
    [500, true],
    [503, true],
  ])('that answers %i fails, and may be retried: %s', async (status, again) => {
    const { url } = await startReceiver(() => ({ status }))
    const error = await post(url).catch((each: unknown) => each)
    expect(error).toMatchObject({ message: `it answered ${status}` })
    expect(error instanceof NotTaken).toBe(again)
  })

  it('that cannot be reached may be retried, but not one that times out', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await until(() => expect(server.address()).not.toBeNull())
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    await expect(post(`http://127.0.0.1:${port}/`)).rejects.toThrow(NotTaken)
    const { url } = await startReceiver(() => 'never')
    const error = await post(url, { timeoutMs: 100 }).catch((each: unknown) => each)
    expect(error).toMatchObject({ message: 'it took longer than 100 ms' })
    expect(error).not.toBeInstanceOf(NotTaken)
  })
})

describe('the delivery to a target', () => {
  const warnings = () => {
    const told: [string, Record<string, unknown>][] = []
    return { told, log: { warn: (text: string, details: object = {}) => void told.push([text, { ...details }]) } }
  }
  const numbered = (count: number): Message[] =>
    Array.from({ length: count }, (_, index) => ({ ...message, run: `r_${index}` }))

  it('keeps the order, and drops the oldest message when too many wait', async () => {
    const { told, log } = warnings()
    const sent: string[] = []
    let open: () => void
    const gate = new Promise<void>(resolve => void (open = resolve))
    const send = async ({ run: id }: Message) => {
      await gate
      sent.push(id)
    }
    const delivery = createDelivery({ target: 'x', send, signal: running, log, maxWaiting: 3 })
    for (const each of numbered(7)) delivery.add(each)
    expect(delivery.counts).toEqual({ sent: 0, failed: 0, dropped: 3, waiting: 3 })
    open!()
    await delivery.idle()
    // The first message was already being sent, so it was not dropped.
    expect(sent).toEqual(['r_0', 'r_4', 'r_5', 'r_6'])
    expect(delivery.counts).toEqual({ sent: 4, failed: 0, dropped: 3, waiting: 0 })
    expect(told).toMatchObject([['a notification was dropped: too many wait', { target: 'x', dropped: 1 }]])
  })

  it('retries only messages that were not taken, at most as often as configured', async () => {
    const { log } = warnings()
    const attempts = new Map<string, number>()
    const send = ({ run: id }: Message) => {
      attempts.set(id, (attempts.get(id) ?? 0) + 1)
      if (id === 'r_1') return Promise.reject(new Error('no'))
      const isTaken = id === 'r_0' ? attempts.get(id) === 3 : false
      return isTaken ? Promise.resolve() : Promise.reject(new NotTaken('later'))
    }
    const delivery = createDelivery({ target: 'x', send, signal: running, log, retryMs: [1, 1] })
    for (const each of numbered(3)) delivery.add(each)
    await delivery.idle()
    expect([...attempts.values()]).toEqual([3, 1, 3])
    expect(delivery.counts).toMatchObject({ sent: 1, failed: 2 })
  })

  it('logs failures at intervals, with their number', async () => {
    const { told, log } = warnings()
    const send = () => Promise.reject(new Error('no'))
    const delivery = createDelivery({ target: 'x', send, signal: running, log })
    for (const each of numbered(20)) delivery.add(each)
    await delivery.idle()
    expect(told).toMatchObject([['a notification could not be delivered', { target: 'x', failed: 1 }]])
    const often = createDelivery({ target: 'x', send, signal: running, log, quietMs: 0 })
    for (const each of numbered(3)) often.add(each)
    await often.idle()
    expect(told).toHaveLength(4)
  })
})

describe('notifications', () => {
  const records = {
    sessions: { get: (id: string) => session(id, { title: 'Title', cwd: '/work', labels: { team: 'a', area: id } }) },
    runs: { get: (id: string) => run(id, 's_1', { prompt: 'p'.repeat(2_000), startedAt: 5, endedAt: 9 }) },
  }
  const start = (targets: NotificationTarget[], options: object = {}): Notifications => {
    const log = { warn: () => {} }
    const notifications = createNotifications({ targets, store: records, environment, log, ...options })
    onTestFinished(() => notifications.close())
    return notifications
  }
  const bodies = (received: { body: string }[]) => received.map(({ body }) => JSON.parse(body) as Record<string, Told>)
  type Told = Record<string, unknown>

  it('are sent for the configured events and labels, with their session and run', async () => {
    const { url, received } = await startReceiver(() => ({ status: 200 }))
    const notifications = start([{ on: ['approval_requested', 'failed'], url, labels: { team: 'a', area: 's_1' } }])
    const rows = [
      event(1),
      event(2, { type: 'done', run: 'r_1' }),
      event(3, { type: 'approval_requested', run: 'r_1' }),
      event(4, { type: 'failed', run: null }),
    ]
    notifications.published('s_2', rows)
    notifications.published('s_1', rows)
    await until(() => expect(notifications.counts.sent).toBe(2))
    expect(bodies(received)).toEqual([
      {
        event: { seq: 3, time: 1, run: 'r_1', type: 'approval_requested', delta: '' },
        session: { session: 's_1', title: 'Title', cwd: '/work', labels: { team: 'a', area: 's_1' } },
        run: {
          run: 'r_1',
          prompt: `${'p'.repeat(1_000)}…`,
          origin: { client: 'c_1', name: 'test' },
          startedAt: 5,
          endedAt: 9,
        },
      },
      { event: expect.objectContaining({ seq: 4 }), session: expect.anything(), run: null },
    ])
  })

  it('cut a large event as the wire does', async () => {
    const { url, received } = await startReceiver(() => ({ status: 200 }))
    const notifications = start([{ on: ['done'], url }])
    const text = JSON.stringify({ seq: 1, time: 1, run: 'r_1', type: 'done', response: 'x'.repeat(5_000_000) })
    notifications.published('s_1', [event(1, { type: 'done', run: 'r_1', text })])
    await until(() => expect(notifications.counts.sent).toBe(1))
    expect(received[0]!.body.length).toBeLessThan(300_000)
    expect(bodies(received)[0]!['event']).toMatchObject({ seq: 1, cut: { bytes: text.length } })
  })

  it('for one target do not wait for another target', async () => {
    const dead = await startReceiver(() => 'never')
    const { url, received } = await startReceiver(() => ({ status: 200 }))
    const notifications = start(
      [
        { on: ['done'], url: dead.url, timeoutMs: 60_000 },
        { on: ['done'], url },
      ],
      { graceMs: 0 },
    )
    for (const id of ['r_1', 'r_2']) notifications.published('s_1', [event(1, { type: 'done', run: id })])
    await until(() => expect(received).toHaveLength(2))
    expect(dead.received).toHaveLength(1)
  })

  it('abort the message under way when they close, and drop those that wait', async () => {
    const pidFile = join(tempDir(), 'pid')
    const script = 'trap "" TERM; echo $$ >"$1"; while :; do sleep 0.1; done'
    const notifications = start([{ on: ['done'], command: ['/bin/sh', '-c', script, 'sh', pidFile] }], { graceMs: 50 })
    for (const id of ['r_1', 'r_2']) notifications.published('s_1', [event(1, { type: 'done', run: id })])
    writeFileSync(pidFile, '')
    const pid = await until(() => {
      expect(Number(readFileSync(pidFile, 'utf8'))).toBeGreaterThan(0)
      return Number(readFileSync(pidFile, 'utf8'))
    })
    await notifications.close()
    expect(notifications.counts).toMatchObject({ sent: 0, failed: 1, waiting: 1 })
    await until(() => expect(isAlive(pid)).toBe(false))
    notifications.published('s_1', [event(1, { type: 'done', run: 'r_3' })])
  })
})
