import { describe, expect, it } from 'vitest'
import picocolors from 'picocolors'
import type { Event, EventBody } from '../../protocol/index.ts'
import type { Gap as GapItem } from '../../client/sdk/index.ts'
import { createRunView } from '../../client/cli/render/run/run-view.ts'
import { pipeSink, terminalSink } from '../../client/cli/screen/sink.ts'

const colors = picocolors.createColors(false)
const by = { client: 'c_1', name: 'ada' }
const tokens = { input: 1_000, output: 20, cacheCreation: 200, cacheRead: 34 }

type Body = EventBody & { time?: number }

const stamped = (bodies: readonly Body[]): Event[] =>
  bodies.map((body, index) => ({ seq: index + 1, time: 0, run: 'r_1', ...body }))

/** Returns the output of `muxd run | cat`: the answer, and the lines beside it. */
function piped(bodies: readonly Body[], prompts = false): { answer: string; beside: string[] } {
  let answer = ''
  let beside = ''
  const sink = pipeSink({ answer: text => (answer += text), progress: text => (beside += text) })
  const view = createRunView(sink, { colors, prompts })
  for (const event of stamped(bodies)) view.show(event)
  return { answer, beside: beside.split('\n').slice(0, -1) }
}

/** Returns the lines that a terminal shows. The view uses only newline, cursor up and clear to the end. */
function shown(bodies: readonly (Body | GapItem)[], { columns = 60, rows = 20, resizeAt = Infinity } = {}): string[] {
  let index = 0
  const lines = ['']
  let row = 0
  const write = (text: string) => {
    // oxlint-disable-next-line no-control-regex
    for (const part of text.split(/(\u001b\[\d*[AJ]|\n)/)) {
      // oxlint-disable-next-line no-control-regex
      const up = /^\u001b\[(\d+)A$/.exec(part)
      if (up) row -= Number(up[1])
      else if (part === '\u001b[J') lines.splice(row, Infinity, '')
      else if (part === '\n') lines[++row] ??= ''
      else lines[row] += part
    }
  }
  const sink = terminalSink({
    write,
    columns: () => (index < resizeAt ? columns : columns + 1),
    rows: () => rows,
    dim: text => `(${text})`,
  })
  const view = createRunView(sink, { colors, prompts: true })
  for (const body of bodies) {
    view.show(body.type === 'gap' ? body : { ...stamped([body])[0]!, seq: ++index })
  }
  return lines
}

const tool = (toolUseId: string, command: string, time = 0): Body[] => [
  { type: 'tool_started', toolUseId, tool: 'Bash', time },
  { type: 'tool_use', toolUseId, tool: 'Bash', input: { command }, time },
]
const result = (toolUseId: string, time: number, more: { isError?: boolean; output?: unknown } = {}): Body => ({
  type: 'tool_result',
  toolUseId,
  output: '',
  isError: false,
  time,
  ...more,
})
const text = (delta: string, messageId = 'm_1'): Body => ({ type: 'assistant_text', delta, messageId, index: 0 })
const ended = { response: '', transcript: [] }
const done: Body = { type: 'done', ...ended, numTurns: 1, durationMs: 0 }

describe('run output in a pipe', () => {
  it('standard output has only the answer, without escape sequences, and ends its line', () => {
    const events = [
      { type: 'thinking', delta: 'hm' } as Body,
      text('Hel'),
      text('lo\u001b[1m\u202e'),
      ...tool('t1', 'ls'),
      result('t1', 700),
      done,
    ]
    expect(piped(events).answer).toBe('Hello[1m\n')
  })

  it('a text block ends its line before the line of the next tool', () => {
    const written: string[] = []
    const sink = pipeSink({ answer: part => written.push(part), progress: line => written.push(line) })
    const view = createRunView(sink, { colors, prompts: false })
    for (const event of stamped([text('no line ends'), ...tool('t1', 'ls'), text('more', 'm_2'), done]))
      view.show(event)
    expect(written.slice(0, 3)).toEqual(['no line ends', '\n', '◌ Bash ls\n'])
    expect(written.slice(3).join('')).toMatch(/^\nmore\n/)
  })

  it('messages are separated by an empty line', () => {
    expect(piped([text('one'), text('two', 'm_2'), text(' three', 'm_2'), done]).answer).toBe('one\n\ntwo three\n')
  })

  it('withdrawn text is marked', () => {
    expect(
      piped([text('wrong'), { type: 'message_discarded', messageId: 'm_1' }, text('right', 'm_2'), done]).answer,
    ).toBe('wrong\n[withdrawn: the text above is written anew]\n\nright\n')
  })

  it('a tool prints one line when it starts and one when it ends', () => {
    const events = [
      ...tool('t1', 'ls'),
      { type: 'tool_progress', toolUseId: 't1', elapsedMs: 500 } as Body,
      result('t1', 700),
      ...tool('t2', 'false'),
      result('t2', 100, { isError: true, output: 'Exit code 1\nmore' }),
    ]
    expect(piped(events).beside).toEqual([
      '◌ Bash ls',
      '✓ Bash ls  0.7 s',
      '◌ Bash false',
      '✗ Bash false  0.1 s: Exit code 1',
    ])
  })

  it.each<[string, Body[], string[]]>([
    [
      'done, with its time and its cost',
      [
        { type: 'run_started', prompt: 'x', origin: by, time: 1_000 },
        { type: 'cost', costUsd: 1, runCostUsd: 0.0123, tokens },
        { ...done, time: 3_500 },
      ],
      ['✓ done  2.5 s · $0.0123 · 1,234 tokens in, 20 out'],
    ],
    [
      'failed, with what there is to know',
      [
        {
          type: 'failed',
          failure: {
            code: 'crashed',
            title: 'It crashed',
            advice: 'Run it again',
            detail: 'exit 3',
            retryable: false,
            stderrTail: 'Error: x\n at y',
          },
          ...ended,
        },
      ],
      ['✗ failed: It crashed', '  Run it again', '  exit 3', '  Error: x', '   at y'],
    ],
    [
      'cancelled, and by whom',
      [
        { type: 'cancel_requested', by, reason: 'not needed', mode: 'interrupt' },
        { type: 'cancelled', by, reason: 'not needed', ...ended },
      ],
      ['■ cancel requested by ada: not needed', '■ cancelled by ada: not needed'],
    ],
    [
      'failed by a limit, with its end',
      [
        {
          type: 'failed',
          failure: { code: 'usage_limit', title: 'It is over', detail: 'x', retryable: true, resetsAt: 0 },
          ...ended,
          response: 'x',
        },
      ],
      ['✗ failed: It is over', `  It is reset (${new Date(0).toLocaleString()} here)`],
    ],
    [
      'interrupted',
      [{ type: 'interrupted', reason: 'the daemon was stopped', ...ended }],
      ['✗ interrupted: the daemon was stopped'],
    ],
  ])('the end is %s', (_, events, expected) => {
    expect(piped(events).beside).toEqual(expected)
  })

  it('an approval is shown in full, with how to answer it and its outcome', () => {
    const asked = {
      type: 'approval_requested',
      approval: 'a_1',
      kind: 'tool',
      tool: 'Bash',
      input: { command: 'ls' },
      toolUseId: 't',
    } as const
    let beside = ''
    const sink = pipeSink({ answer() {}, progress: line => (beside += line) })
    const view = createRunView(sink, { colors, prompts: false, howToAnswer: ({ approval }) => [`answer ${approval}`] })
    const ends: Body[] = [
      { type: 'approval_resolved', approval: 'a_1', decision: 'allow', by },
      { type: 'approval_resolved', approval: 'a_1', decision: 'deny', by: { policy: 'deny Bash' }, message: 'no\nway' },
      { type: 'approval_resolved', approval: 'a_1', decision: 'withdrawn' },
    ]
    for (const event of stamped([asked, ...ends])) view.show(event)
    expect(beside.split('\n')).toEqual([
      '? Bash needs permission',
      '  ls',
      '  answer a_1',
      '✓ Bash ls: allowed by ada',
      '✗ denied (deny Bash): no way',
      '✗ withdrawn',
      '',
    ])
  })

  it.each<[Body, string]>([
    [
      { type: 'api_retry', attempt: 1, maxRetries: 10, delayMs: 2_000, status: 529, error: 'overloaded' },
      '↻ attempt 1 of 10 failed (529 overloaded), the next in 2.0 s',
    ],
    [
      { type: 'permission_denied', tool: 'Write', toolUseId: 't', message: 'not\nallowed' },
      '✗ Write denied: not allowed',
    ],
    [{ type: 'compaction', trigger: 'auto' }, '◇ the conversation was compacted'],
    [{ type: 'rate_limit', status: 'rejected', limitType: 'five_hour' }, '! rate limit five_hour: rejected'],
  ])('%o is printed', (event, expected) => {
    expect(piped([event]).beside).toEqual([expected])
  })

  it('the model is printed once', () => {
    const init = {
      type: 'session_init',
      claudeSessionId: 'x',
      model: 'muxd-simulator',
      tools: [],
      mcpServers: [],
    } as Body
    expect(piped([init, text('hi'), done, init]).beside).toEqual(['muxd-simulator', '✓ done'])
  })

  it('forks, imports and updates of a session are printed with the client that made them', () => {
    const ann = { client: 'c_1', name: 'ann' }
    const { beside } = piped([
      { type: 'session_forked', from: { session: 's_1', seq: 9 }, by: ann },
      { type: 'session_imported', claudeSessionId: 'an id', by: ann },
      { type: 'session_updated', changes: { title: 'new\u001b[1m', permissionMode: 'plan', labels: {} }, by: ann },
      { type: 'session_updated', changes: { claudeSessionId: null }, by: ann },
    ])
    expect(beside).toEqual([
      '⑂ forked from s_1 by ann',
      '⇤ conversation an id was taken up by ann',
      '✎ title: new[1m, labels, mode: plan by ann',
      '✎ begun anew by ann',
    ])
  })

  it('lost background work is named, and omitted tasks are counted', () => {
    const { beside } = piped([
      { type: 'background_lost', tasks: [{ id: 'b1', description: 'npm run dev' }, { id: 'b2' }], more: 0 },
      { type: 'background_lost', tasks: [{ id: 'b3', description: 'two\nlines' }], more: 7 },
    ])
    expect(beside).toEqual([
      '! background work ended unfinished: npm run dev, b2',
      '! background work ended unfinished: two lines and 7 more',
    ])
  })

  it('technical events are not printed', () => {
    const events: Body[] = [
      { type: 'rate_limit', status: 'allowed' },
      { type: 'notice', kind: 'system/x', frame: {} },
      { type: 'unparsed', reason: 'no JSON', bytes: 1, head: 'x' },
      { type: 'status', status: 'requesting' },
    ]
    expect(piped(events)).toEqual({ answer: '', beside: [] })
  })
})

describe('run output on a terminal', () => {
  it('the state of a tool is rewritten in place', () => {
    expect(shown([text('Look:'), ...tool('t1', 'ls')])).toEqual(['Look:', '◌ Bash ls', ''])
    expect(shown([text('Look:'), ...tool('t1', 'ls'), result('t1', 700)])).toEqual(['Look:', '✓ Bash ls  0.7 s', ''])
  })

  it('concurrent tools keep their lines', () => {
    const events = [...tool('t1', 'a'), ...tool('t2', 'b'), ...tool('t3', 'c'), result('t2', 100), result('t1', 200)]
    expect(shown(events)).toEqual(['✓ Bash a  0.2 s', '✓ Bash b  0.1 s', '◌ Bash c', ''])
  })

  it('a tool that ends behind other output gets a new line', () => {
    const events = [...tool('t1', 'a'), text('meanwhile'), result('t1', 1_000)]
    expect(shown(events)).toEqual(['◌ Bash a', 'meanwhile', '✓ Bash a  1.0 s', ''])
  })

  it('a tool line is cut to the width of the screen', () => {
    const events = [...tool('t1', 'x'.repeat(200)), result('t1', 100)]
    const [line] = shown(events, { columns: 20 })
    expect(line).toBe(`✓ Bash ${'x'.repeat(11)}…`)
  })

  it('lines that have scrolled away are not rewritten', () => {
    const many = Array.from({ length: 10 }, (_, index) => tool(`t${index}`, String(index))).flat()
    const lines = shown([...many, result('t0', 100)], { rows: 5 })
    expect(lines[0]).toBe('◌ Bash 0')
    expect(lines.at(-2)).toBe('✓ Bash 0  0.1 s')
  })

  it('lines are not rewritten after the screen was resized', () => {
    const events = [...tool('t1', 'a'), result('t1', 100)]
    expect(shown(events, { resizeAt: 3 })).toEqual(['◌ Bash a', '✓ Bash a  0.1 s', ''])
  })

  it('thinking is dimmed and separated from the answer', () => {
    expect(shown([{ type: 'thinking', delta: 'hm\nwell' }, text('Yes')])).toEqual(['(hm)', '(well)', 'Yes'])
  })

  it('escape sequences of models and tools are removed', () => {
    const hostile = '\u001b]0;x\u0007\u001b[2J\u009b1A'
    const events: Body[] = [
      { type: 'run_queued', prompt: hostile, origin: { client: 'c', name: hostile } },
      text(hostile),
      { type: 'thinking', delta: hostile },
      ...tool('t1', hostile),
      { type: 'tool_result', toolUseId: 't1', output: hostile, isError: true },
      { type: 'assistant_text', delta: hostile, parent: 't1' },
      { type: 'api_retry', attempt: 1, maxRetries: 2, delayMs: 1, status: null, error: hostile },
      { type: 'permission_denied', tool: hostile, toolUseId: 't', message: hostile },
      { type: 'task', phase: 'started', taskId: 'k', description: hostile, status: hostile },
      {
        type: 'approval_requested',
        approval: 'a',
        kind: 'tool',
        tool: hostile,
        input: { command: hostile },
        toolUseId: 't',
      },
      {
        type: 'approval_resolved',
        approval: 'a',
        decision: 'deny',
        by: { client: 'c', name: hostile },
        message: hostile,
      },
      { type: 'cancel_requested', by: { client: 'c', name: hostile }, reason: hostile, mode: 'kill' },
      {
        type: 'failed',
        failure: {
          code: 'unknown',
          title: hostile,
          advice: hostile,
          detail: hostile,
          retryable: false,
          stderrTail: hostile,
        },
        ...ended,
      },
    ]
    let written = ''
    const sink = terminalSink({
      write: part => (written += part),
      columns: () => 80,
      rows: () => 24,
      dim: part => part,
    })
    const view = createRunView(sink, { colors, prompts: true })
    for (const event of stamped(events)) view.show(event)
    // oxlint-disable-next-line no-control-regex
    expect(written.replace(/\u001b\[(\d+A|J)/g, '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  })

  it('sub-agent output is indented, and its task is shown as its tool', () => {
    const inner = (body: Body) => ({ ...body, parent: 't1' }) as Body
    const events: Body[] = [
      { type: 'tool_use', toolUseId: 't1', tool: 'Agent', input: { description: 'look' } },
      { type: 'task', phase: 'started', taskId: 'k', toolUseId: 't1', description: 'look' },
      ...tool('t2', 'ls').map(inner),
      inner(result('t2', 100)),
      inner(text('found it')),
      result('t1', 300),
    ]
    expect(shown(events)).toEqual(['◌ Agent look', '  ✓ Bash ls  0.1 s', '  found it', '✓ Agent look  0.3 s', ''])
  })

  it('a tool of a withdrawn message is marked as withdrawn', () => {
    const events: Body[] = [
      text('wrong'),
      { type: 'tool_started', toolUseId: 't1', tool: 'Bash' },
      { type: 'message_discarded', messageId: 'm_1' },
    ]
    expect(shown(events)).toEqual(['wrong', '⌫ Bash  withdrawn', 'withdrawn: the text above is written anew', ''])
  })

  it('a gap is reported', () => {
    expect(shown([{ type: 'gap', reason: 'trimmed', from: 4, to: 9, epoch: 'e' }])).toEqual([
      '! events 5 to 9 cannot be had any more (trimmed)',
      '',
    ])
  })

  it('log damage is reported', () => {
    expect(shown([{ type: 'log_damaged', log: 'raw', bytes: 7, detail: '7 bytes are lost' }])).toEqual([
      '! the log is damaged here: 7 bytes are lost',
      '',
    ])
  })
})
