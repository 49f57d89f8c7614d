import { describe, expect, it } from 'vitest'
import { questionsOf, summaryOf, wishOf } from '../../client/workspace/approvals/approval-input.ts'
import {
  approvalList,
  blockId,
  conversationOf,
  framesOf,
  parseBlockId,
  sessionList,
} from '../../client/workspace/layout/block.ts'
import { isBlockId, paneKindOf, paneKinds } from '../../client/workspace/panes/registry.ts'
import { filterSessions, type StateFilter } from '../../client/workspace/panes/filter-sessions.ts'
import {
  emptyWindow,
  frameLine,
  isFull,
  maxRows,
  maxRowsWhileReading,
  withNewer,
  withOlder,
} from '../../client/workspace/panes/frame-window.ts'
import { sessionLook } from '../../client/workspace/panes/session-look.ts'
import { blockTitle, tabLabel } from '../../client/workspace/panes/titles.ts'
import { lastDays, others, plotUsage } from '../../client/workspace/panes/usage-plot.ts'
import { toolAbout } from '../../client/workspace/conversation/model/tool-output.ts'
import { projectName, sessionName } from '../../client/text/session-name.ts'
import { applyChange, emptyRecords } from '../../client/workspace/records-state.ts'
import type { Approval, FrameEvent, Run, Session } from '../../protocol/index.ts'
import { run as recordOf, session as sessionOf } from '../support/records.ts'

const runOf = (id: string, fields: Partial<Run> = {}): Run => recordOf(id, 's_1', fields).run
const tokens = { input: 1, output: 2, cacheCreation: 3, cacheRead: 4 }

describe('blocks', () => {
  it('have ids that stored layouts keep, and reject other text as an id', () => {
    const ids = ['sessions', 'approvals', 'usage', 'daemon', 'session/s_1', 'frames/s_a-B']
    for (const id of ids) {
      expect(isBlockId(id)).toBe(true)
      expect(blockId(parseBlockId(id)!)).toBe(id)
    }
    for (const id of [
      '',
      'session',
      'session/',
      'session/x',
      'session/s_1/x',
      'frames/s_<b>',
      'usage/s_1',
      'constructor',
    ])
      expect(isBlockId(id)).toBe(false)
    expect(ids.map(id => paneKindOf(id)!.kind)).toEqual(paneKinds.map(({ kind }) => kind))
  })

  it('that the page links to have a row in the registry', () => {
    for (const block of [sessionList, approvalList, conversationOf('s_1'), framesOf('s_1')]) {
      expect(paneKindOf(blockId(block))?.kind).toBe(block.kind)
    }
  })

  it('are titled by the session title, else its first prompt, else its directory', () => {
    const sessions = new Map([
      ['s_1', sessionOf('s_1', { title: ' Fix it ' })],
      ['s_2', sessionOf('s_2', { title: '', cwd: '/home/me/shop/' })],
      ['s_4', sessionOf('s_4', { title: '', firstPrompt: 'Speed up the search', cwd: '/home/me/shop' })],
    ])
    const titles = ['usage', 'session/s_1', 'frames/s_2', 'session/s_3'].map(id => blockTitle(id, sessions))
    expect(titles).toEqual(['Usage', 'Fix it', 'Frames of shop', 's_3'])
    expect(blockTitle('session/s_4', sessions)).toBe('Speed up the search')
    expect(tabLabel('session/s_4', sessions, 0)).toBe('Speed up the search, shop')
  })
})

describe('the list of sessions', () => {
  it('finds words of title, prompt, directory and id, labels and states, latest first', () => {
    const sessions = [
      sessionOf('s_1', { title: 'Fix the parser', cwd: '/src/parser', usedAt: 1, labels: { team: 'core' } }),
      sessionOf('s_2', { title: 'Docs', cwd: '/src/site', usedAt: 3, state: 'running', labels: { team: 'web' } }),
      sessionOf('s_3', { title: '', firstPrompt: 'Why so slow?', cwd: '/src/parser', usedAt: 2, state: 'closed' }),
    ]
    const cases: [text: string, state: StateFilter, found: string[]][] = [
      ['', 'all', ['s_2', 's_3', 's_1']],
      ['parser', 'all', ['s_3', 's_1']],
      ['PARSER fix', 'all', ['s_1']],
      ['team=', 'all', ['s_2', 's_1']],
      ['team=web', 'all', ['s_2']],
      ['s_3', 'all', ['s_3']],
      ['slow', 'all', ['s_3']],
      ['', 'running', ['s_2']],
      ['parser', 'closed', ['s_3']],
      ['', 'waiting', ['s_1']],
      ['nothing', 'all', []],
    ]
    for (const [text, state, found] of cases) {
      const shown = filterSessions(sessions, { text, state }, ({ session }) => session === 's_1')
      expect(
        shown.map(({ session }) => session),
        `${text} ${state}`,
      ).toEqual(found)
    }
  })

  it('shows a pending approval first, then the active run, then the last outcome', () => {
    const look = (session: Partial<Session>, active: Run[], ended?: Run, asked = 0) =>
      sessionLook(sessionOf('s_1', session), { active, ended, asked }).words
    const running = runOf('r_1', { state: 'running' })
    const failed = runOf('r_0', { state: 'failed', endedAt: 1 })
    expect(look({ state: 'running' }, [running], failed, 1)).toBe('waits for an answer')
    expect(look({ state: 'waiting' }, [running], failed)).toBe('waits for an answer')
    expect(look({ state: 'running' }, [running], failed)).toBe('running')
    expect(look({}, [runOf('r_1', { state: 'cancelling' })])).toBe('is being cancelled')
    expect(look({}, [runOf('r_1', { state: 'queued' })], failed)).toBe('queued')
    expect(look({ state: 'idle' }, [], failed)).toBe('failed')
    expect(look({ state: 'closed' }, [])).toBe('closed')
    expect(look({ state: 'idle' }, [])).toBe('idle')
  })
})

describe('the records', () => {
  it('hold active runs and the latest outcome of each session until it is deleted', () => {
    const state = emptyRecords()
    const change = (changed: object) => applyChange(state, { seq: 1, time: 1, ...changed } as never)
    const approval = { approval: 'a_1', session: 's_1', state: 'pending' } as Approval
    change({ type: 'session_created', session: sessionOf('s_1') })
    change({ type: 'run_changed', run: runOf('r_1', { endedAt: null, firstSeq: 5 }) })
    change({ type: 'approval_changed', approval })
    expect([state.sessions.size, state.active.size, state.ended.size, state.approvals.size]).toEqual([1, 1, 0, 1])
    change({ type: 'approval_changed', approval: { ...approval, state: 'resolved' } })
    change({ type: 'run_changed', run: runOf('r_1', { state: 'done', endedAt: 9, firstSeq: 5 }) })
    // This run was queued and cancelled later, but began earlier in the log.
    change({ type: 'run_changed', run: runOf('r_0', { state: 'cancelled', endedAt: 10, firstSeq: 2 }) })
    expect(state.ended.get('s_1')?.run).toBe('r_1')
    expect([state.active.size, state.approvals.size]).toEqual([0, 0])
    expect(change({ type: 'viewers_changed', session: 's_1' })).toBe(false)
    change({ type: 'session_deleted', session: 's_1' })
    expect([state.sessions.size, state.ended.size]).toEqual([0, 0])
  })
})

describe('approvals', () => {
  it('are shown as a command, an edit, a file, a plan or fields', () => {
    const cases: [kind: Approval['kind'], input: unknown, as: object][] = [
      ['tool', { command: 'rm -rf x', description: 'cleans' }, { as: 'command', command: 'rm -rf x', about: 'cleans' }],
      [
        'tool',
        { file_path: '/a', old_string: 'b', new_string: 'c' },
        { as: 'edit', path: '/a', before: 'b', after: 'c' },
      ],
      ['tool', { file_path: '/a', content: 'b' }, { as: 'write', path: '/a', content: 'b' }],
      ['plan', { plan: '1. x' }, { as: 'plan', plan: '1. x' }],
      [
        'tool',
        { url: 'https://x', deep: { a: 1 } },
        {
          as: 'fields',
          fields: [
            ['url', 'https://x'],
            ['deep', '{\n  "a": 1\n}'],
          ],
        },
      ],
      ['tool', 'raw', { as: 'fields', fields: [['input', 'raw']] }],
      ['tool', null, { as: 'fields', fields: [['input', 'null']] }],
      ['tool', { command: 7 }, { as: 'fields', fields: [['command', '7']] }],
    ]
    for (const [kind, input, as] of cases) expect(wishOf({ kind, input })).toEqual(as)
    expect(summaryOf({ kind: 'tool', tool: 'Bash', input: { command: 'ls' } })).toBe('Bash: ls')
    expect(summaryOf({ kind: 'tool', tool: 'X', input: {} })).toBe('X')
  })

  it('show text without reordering or invisible characters, as do titles', () => {
    const turned = 'rm \u202egnp.\u2066x\u200b'
    expect(wishOf({ kind: 'tool', input: { command: turned } })).toEqual({ as: 'command', command: 'rm gnp.x' })
    expect(wishOf({ kind: 'tool', input: { file_path: turned, content: turned } })).toMatchObject({ path: 'rm gnp.x' })
    expect(wishOf({ kind: 'tool', input: { deep: [turned] } })).toEqual({
      as: 'fields',
      fields: [['deep', '[\n  "rm \\u202egnp.\\u2066x\\u200b"\n]']],
    })
    expect(summaryOf({ kind: 'tool', tool: 'Bash', input: { command: turned } })).toBe('Bash: rm gnp.x')
    expect(toolAbout('Bash', { command: turned })).toBe('rm gnp.x')
    expect(sessionName({ title: turned, cwd: '/' })).toBe('rm gnp.x')
    expect(projectName(`/a/${turned}`)).toBe('rm gnp.x')
  })

  it('keep the readable questions of any input', () => {
    const questions = [
      { question: 'Which?', header: 'Colour', multiSelect: true, options: [{ label: 'Red', description: 'warm' }, 7] },
      { question: 3 },
    ]
    expect(questionsOf({ questions })).toEqual([
      { question: 'Which?', header: 'Colour', multi: true, options: [{ label: 'Red', description: 'warm' }] },
    ])
    for (const input of [null, undefined, 'x', {}, { questions: 'x' }, { questions: [null] }])
      expect(questionsOf(input)).toEqual([])
  })
})

describe('the plot of usage', () => {
  it('stacks the models of each day, the costliest first, up to a round number', () => {
    const row = (day: string, model: string | null, costUsd: number) => ({ day, model, costUsd, tokens, runs: 1 })
    const plot = plotUsage(
      [row('2026-01-02', 'opus', 3), row('2026-01-02', null, 1), row('2026-01-03', null, 0.5)],
      ['2026-01-01', '2026-01-02', '2026-01-03'],
    )
    expect(plot.models).toEqual(['opus', 'not told'])
    expect(plot.top).toBe(5)
    expect(plot.days.map(({ parts }) => parts.map(({ model, from, to }) => [model, from, to]))).toEqual([
      [],
      [
        ['opus', 0, 3],
        ['not told', 3, 4],
      ],
      [['not told', 0, 0.5]],
    ])
    const many = Array.from({ length: 9 }, (_, index) => row('2026-01-01', `model-${index}`, 1 + index))
    expect(plotUsage(many, ['2026-01-01'])).toMatchObject({ models: expect.arrayContaining([others]), top: 50 })
    expect(plotUsage([], ['2026-01-01'])).toMatchObject({ models: [], top: 1 })
  })

  it('has each day once, also across clock changes', () => {
    const days = lastDays(400, Date.UTC(2026, 10, 27, 12))
    expect(new Set(days).size).toBe(400)
    expect(days.at(-1)).toBe('2026-11-27')
  })
})

describe('the frames in memory', () => {
  const frame = (seq: number): FrameEvent => ({ seq, time: 1, type: 'frame', frame: { type: 'x' } })
  const frames = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => frame(from + index))

  it('stay contiguous and bounded, and grow at the beginning', () => {
    let window = withNewer(emptyWindow, frames(100, 200))
    window = withOlder(window, frames(50, 120))
    expect(window.rows.map(row => ('seq' in row ? row.seq : 0))).toEqual(frames(50, 200).map(({ seq }) => seq))
    window = withNewer(window, frames(201, 201 + maxRows))
    expect(window.trimmed).toBe(true)
    expect(window.rows.length).toBe(maxRows * 0.8)
    expect(window.rows.at(-1)).toEqual(frame(201 + maxRows))
  })

  it('stay while older ones are read, up to a bound for both directions', () => {
    const reading = { isReading: true }
    let window = withNewer(emptyWindow, frames(50_001, 50_000 + maxRows))
    window = withNewer(window, frames(50_001 + maxRows, 50_100 + maxRows), reading)
    expect(window.rows[0]).toEqual(frame(50_001))
    window = withOlder(window, frames(20_001, 50_000))
    expect(window.rows.length).toBe(maxRowsWhileReading)
    expect(window.rows.at(-1)).toEqual(frame(50_100 + maxRows))
    expect({ trimmed: window.trimmed, isFull: isFull(window) }).toEqual({ trimmed: true, isFull: true })
    expect(withOlder(window, frames(1, 20_000)).rows.length).toBe(maxRowsWhileReading)
    window = withNewer(window, frames(50_101 + maxRows, 50_101 + maxRows), reading)
    expect(window.rows.length).toBeLessThanOrEqual(maxRowsWhileReading)
    expect(window.rows.at(-1)).toEqual(frame(50_101 + maxRows))
  })

  it('are labelled by their type and a summary of their content', () => {
    const named = { type: 'stream_event', event: { type: 'message_start' } }
    expect(frameLine({ ...frame(1), frame: named })).toEqual({
      kind: 'stream_event · message_start',
      gist: '{"event":{"type":"message_start"}}',
    })
    expect(frameLine({ ...frame(1), frame: 7 })).toEqual({ kind: 'frame', gist: '{}' })
    const unparsed = { reason: 'x', bytes: 4, head: 'oops' }
    expect(frameLine({ ...frame(1), unparsed })).toEqual({ kind: 'no JSON', gist: 'oops' })
  })
})
