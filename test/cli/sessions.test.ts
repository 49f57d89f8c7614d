import { describe, expect, it } from 'vitest'
import picocolors from 'picocolors'
import type { Run, Session } from '../../client/sdk/index.ts'
import { queueLines } from '../../client/cli/render/queue.ts'
import { type SessionRow, sessionLines } from '../../client/cli/render/sessions.ts'
import { widthOf } from '../../client/cli/screen/text.ts'
import { run as runRecord, session as sessionRecord } from '../support/records.ts'

const now = 1_000_000_000_000
const id = (letter: string) => letter.repeat(21)
const plain = picocolors.createColors(false)

const session = (letter: string, fields: Partial<Session> = {}): Session =>
  sessionRecord(`s_${id(letter)}`, {
    updatedAt: now,
    usedAt: now - 65_000,
    lastRun: `r_${id(letter)}`,
    cwd: '/srv/work/project',
    ...fields,
  })
const run = (letter: string, fields: Partial<Run> = {}): Run =>
  runRecord(`r_${id(letter)}`, `s_${id(letter)}`, fields).run
const queued = (letter: string, fields: Partial<Run> = {}): Run =>
  run(letter, { state: 'queued', position: 0, ...fields })
const activity = (silentMs: number) => ({ at: now - silentMs, silentMs, what: 'Bash' })

const rows: SessionRow[] = [
  {
    session: session('a', {
      state: 'running',
      costUsd: 12.5,
      title: 'Rework the parser, then 日本語 and whatever else there is',
    }),
    active: run('a', { activity: activity(1_000) }),
    queued: [queued('b', { waitingFor: 'session' }), queued('c', { waitingFor: 'session', position: 1 })],
  },
  { session: session('d', { state: 'running' }), active: run('d', { activity: activity(130_000) }), queued: [] },
  { session: session('e', { state: 'running' }), queued: [queued('e', { waitingFor: 'memory' })] },
  { session: session('f', { state: 'waiting' }), active: run('f'), queued: [] },
  {
    session: session('g', { firstPrompt: 'find\u001b[2J it\nand more' }),
    last: run('g', { state: 'failed', prompt: 'something else' }),
    queued: [],
  },
  { session: session('h', { state: 'closed', lastRun: null, usedAt: now - 3 * 86_400_000 }), queued: [] },
]
const show = (columns: number, colors = plain) => sessionLines(rows, { columns, now, colors })

describe('the list of sessions', () => {
  it('fits 80 columns and shows what each session does or waits for', () => {
    const lines = show(80)
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80)
    expect(lines).toEqual([
      'SESSION                  STATE            QUEUE  AGE  COST    ABOUT',
      `s_${id('a')}  running          2      1m   $12.50  Rework the parser…`,
      `s_${id('d')}  silent 2m        -      1m   $0      project`,
      `s_${id('e')}  waits: memory    1      1m   $0      project`,
      `s_${id('f')}  waits: approval  -      1m   $0      project`,
      `s_${id('g')}  failed           -      1m   $0      find[2J it`,
      `s_${id('h')}  closed           -      3d   $0      project`,
    ])
  })

  it('shows all columns when there is room, also in a pipe', () => {
    for (const columns of [200, Infinity]) {
      const lines = show(columns)
      expect(lines[0]).toMatch(/^SESSION +LAST RUN +STATE +QUEUE +AGE +COST +ABOUT +DIRECTORY$/)
      expect(lines[1]).toContain('Rework the parser, then 日本語 and whatever else there is  /srv/work/project')
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(200)
    }
  })

  it.each([60, 40])('leaves out the least important columns in a width of %i', columns => {
    const lines = show(columns)
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns)
    expect(lines[0]).toMatch(columns === 60 ? /^SESSION +STATE +AGE +ABOUT$/ : /^SESSION +STATE$/)
    for (const line of lines.slice(1)) expect(line).toMatch(/^s_\S{21} {2}\S/)
  })

  it('has the same columns with colours', () => {
    // oxlint-disable-next-line no-control-regex
    const withoutColours = show(80, picocolors.createColors(true)).map(line => line.replaceAll(/\u001b\[\d+m/g, ''))
    expect(withoutColours.map(line => line.trimEnd())).toEqual(show(80))
  })
})

describe('the queue of a session', () => {
  it('counts positions from 1 and fits 80 columns', () => {
    const runs = [
      queued('a', { waitingFor: 'slot', prompt: 'and now the tests' }),
      queued('b', { position: 1, waitingFor: 'session', prompt: `write ${'all '.repeat(40)}of it down` }),
    ]
    const lines = queueLines(runs, { columns: 80, colors: plain })
    expect(lines.slice(0, 2)).toEqual([
      '#  RUN                      WAITS FOR  BY    PROMPT',
      `1  r_${id('a')}  slot       test  and now the tests`,
    ])
    expect(lines[2]).toMatch(/^2 {2}r_b+ {2}session {4}test {2}write all .*…$/)
    expect(widthOf(lines[2]!)).toBeLessThanOrEqual(80)
  })
})
