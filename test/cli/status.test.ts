import { expect, it } from 'vitest'
import type { DaemonStatus } from '../../client/sdk/index.ts'
import { statusLines } from '../../client/cli/render/status.ts'
import { widthOf } from '../../client/cli/screen/text.ts'

const time = 1_000_000_000

const status = (fields: Partial<DaemonStatus> = {}): DaemonStatus => ({
  version: '0.1.0',
  protocol: 2,
  node: '20.20.2',
  pid: 1_234_567,
  url: 'ws://127.0.0.1:7433/ws',
  home: '/tmp/home',
  agents: [{ kind: 'claude', path: '/usr/local/bin/claude', version: '2.1.329 (Claude Code)' }],
  uptimeMs: 90_061_000,
  sessions: 1_234,
  processes: 12,
  runs: { running: 8, queued: 3, done: 9_999 },
  maxRuns: 8,
  connections: 100,
  subscriptions: 2_000,
  memory: { rssBytes: 2 ** 30, heapBytes: 2 ** 29 },
  disk: { databaseBytes: 2 ** 40, walBytes: 2 ** 22, walMovedAt: time - 4_000, rawBytes: 2 ** 33, freeBytes: 2 ** 36 },
  checkpoints: { behindBytes: 0, behind: 0, furthest: [] },
  subscribers: { behind: 0, furthest: [], more: 0 },
  ptyHost: {
    state: 'connected',
    processes: 2,
    pid: 4_712,
    version: '0.1.0',
    startedAt: time - 90_000,
    uptimeMs: 90_000,
  },
  ...fields,
})

it('status prints one subject a line, aligned, within 80 columns', () => {
  const far = {
    process: 'V1StGXR8_Z5jdHi6B-myT',
    session: 's_V1StGXR8_Z5jdHi6B-myT',
    rawBytes: 2 ** 30,
    checkpoint: 2 ** 29,
  }
  const behind = { behindBytes: 2 ** 30, behind: 7, furthest: [{ ...far, behindBytes: 2 ** 29 }] }
  const lines = statusLines(status({ checkpoints: behind }), time)
  for (const line of lines) {
    expect(line).toMatch(/^([a-z -]{8} {2}\S| {12}\S)/)
    expect(widthOf(line), line).toBeLessThanOrEqual(80)
  }
  expect(lines).toContain('daemon    muxd 0.1.0, pid 1234567, up 1 d 1 h, Node 20.20.2')
  expect(lines).toContain('output    1.0 GiB of 7 processes is not stored as events yet')
  expect(lines).toContain('            s_V1StGXR8_Z5jdHi6B-myT  512.0 MiB of 1.0 GiB')
  expect(lines).toContain('database  1.0 TiB, with 4.0 MiB write-ahead log (moved 4s ago)')
})

it('status says when there are no runs, no claude and no output left to store', () => {
  const lines = statusLines(status({ runs: {}, agents: [] }), time)
  expect(lines).toContain('runs      none (at most 8 at once)')
  expect(lines).toContain('claude    not found')
  expect(lines).toContain('output    all of it is stored as events')
})

it('status counts notifications only when some are configured', () => {
  const notifications = { sent: 1_234, failed: 5, dropped: 6, waiting: 7 }
  expect(statusLines(status({ notifications }), time)).toContain('notified  1,234 sent, 5 failed, 6 dropped, 7 waiting')
  expect(statusLines(status(), time).join('\n')).not.toContain('notified')
})

it('status lists the subscribers that are behind, and omits the others', () => {
  const subscription = {
    topic: 'session/s_V1StGXR8_Z5jdHi6B-myT/frames',
    seq: 5,
    head: 5,
    lag: 0,
    state: 'live' as const,
  }
  const slow = { ...subscription, head: 12_345, lag: 12_340, state: 'behind' as const }
  const subscriber = (name: string, lagging: boolean) => ({
    client: 'c_1',
    name,
    role: 'control' as const,
    connectedAt: 1,
    unsentBytes: 2 ** 18,
    subscriptions: [lagging ? slow : subscription],
    more: 0,
  })
  const furthest = [subscriber('a\u0007 user\ninterface', true), subscriber('another', false)]
  const lines = statusLines(status({ subscribers: { behind: 1, furthest, more: 0 } }), time)
  const at = lines.findIndex(line => line.startsWith('clients'))
  expect(lines.slice(at, at + 4)).toEqual([
    'clients   100, 2,000 subscriptions',
    '            topic                           behind  unsent     client',
    '            s_V1StGXR8_Z5jdHi6B-myT/frames  12,340  256.0 KiB  a user interface',
    expect.stringMatching(/^output/),
  ])
})
