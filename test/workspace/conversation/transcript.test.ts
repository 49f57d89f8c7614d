import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Gap } from '../../../client/sdk/browser.ts'
import type { Event, EventBody, EventOf } from '../../../protocol/index.ts'
import type { Item } from '../../../client/workspace/conversation/model/items.ts'
import { createTranscript } from '../../../client/workspace/conversation/model/transcript.ts'

const golden = new URL('../../fixtures/golden/', import.meta.url)
const recordings = readdirSync(golden).map(name => ({
  name,
  events: eventsOf(readFileSync(new URL(name, golden), 'utf8')),
}))

/** Returns the events as a session has them: numbered, in a run that a client started. */
function eventsOf(lines: string): Event[] {
  const bodies = lines
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as EventBody)
    .filter(body => 'type' in body)
  return session({ type: 'run_started', prompt: 'Do it', origin: { client: 'c_1', name: 'test' } }, ...bodies)
}

function session(...bodies: EventBody[]): Event[] {
  let run = 1
  return bodies.map((body, index) => {
    const event = { seq: index + 1, time: 1_000 * index, run: `r_${run}`, ...body } as Event
    if (['done', 'failed', 'cancelled', 'interrupted'].includes(body.type)) run++
    return event
  })
}

const itemsOf = (events: readonly (Event | Gap)[]) => {
  const transcript = createTranscript()
  for (const event of events) transcript.add(event)
  return transcript.items
}

/** Returns what a reader sees of the items. */
const shown = (items: readonly Item[]): unknown[] =>
  items.map(item => {
    switch (item.kind) {
      case 'prompt':
      case 'thinking':
      case 'line':
        return `${item.kind}: ${item.text}`
      case 'text':
        return `text: ${item.blocks.all.map(({ source }) => source).join('')}`
      case 'tool': {
        const line = `${item.tool} ${item.state}`
        return item.children.length ? [line, ...shown(item.children)] : line
      }
      case 'end':
        return item.event.type
    }
  })

const ann = { client: 'c_2', name: 'Ann' }
const outcome = { response: '', transcript: [] }
const done: EventBody = { type: 'done', ...outcome, numTurns: 1, durationMs: 1 }
const started = (messageId: string, parent?: string): EventBody => ({
  type: 'message_started',
  messageId,
  ...(parent && { parent }),
})
const text = (delta: string, messageId: string, index = 0): EventBody => ({
  type: 'assistant_text',
  delta,
  messageId,
  index,
})
const tool = (toolUseId: string, input: unknown = {}): EventBody[] => [
  { type: 'tool_started', toolUseId, tool: 'Bash' },
  { type: 'tool_use', toolUseId, tool: 'Bash', input },
]
const result = (toolUseId: string, isError = false): EventBody => ({
  type: 'tool_result',
  toolUseId,
  output: 'out',
  isError,
})

describe('a transcript', () => {
  it.each<[what: string, bodies: EventBody[], items: unknown[]]>([
    ['text as it is written', [started('m'), text('Hel', 'm'), text('lo', 'm'), done], ['text: Hello', 'done']],
    [
      'nothing of a withdrawn message',
      [
        started('m'),
        text('No', 'm'),
        ...tool('t'),
        { type: 'message_discarded', messageId: 'm' },
        started('n'),
        text('Yes', 'n'),
      ],
      ['text: Yes'],
    ],
    [
      'a message up to the block from which it was withdrawn',
      [
        started('m'),
        text('Yes', 'm', 0),
        ...tool('t'),
        text('No', 'm', 2),
        { type: 'message_discarded', messageId: 'm', fromIndex: 1 },
      ],
      ['text: Yes'],
    ],
    [
      'nothing of a message withdrawn after later ones',
      [started('m'), text('No', 'm'), started('n'), text('Yes', 'n'), { type: 'message_discarded', messageId: 'm' }],
      ['text: Yes'],
    ],
    [
      'tools in the order of their calls',
      [...tool('a'), ...tool('b'), result('b'), result('a', true)],
      ['Bash failed', 'Bash done'],
    ],
    ['a tool that never gave a result', [...tool('a'), done], ['Bash stopped', 'done']],
    [
      'a sub-agent below the call that began it',
      [
        { type: 'tool_use', toolUseId: 'a', tool: 'Agent', input: {} },
        started('m', 'a'),
        { ...text('Sub', 'm'), parent: 'a' },
        { type: 'tool_use', toolUseId: 'b', tool: 'Read', input: {}, parent: 'a' },
        { ...result('b'), parent: 'a' },
        result('a'),
      ],
      [['Agent done', 'text: Sub', 'Read done']],
    ],
    [
      'only the latest of the retries in a row',
      [1, 2, 3].map(
        attempt =>
          ({ type: 'api_retry', attempt, maxRetries: 3, delayMs: 500, status: 529, error: 'overloaded' }) as const,
      ),
      ['line: The API refused (529 overloaded); attempt 3 of 3 in 0.5 s'],
    ],
    [
      'a pending approval',
      [
        ...tool('a'),
        { type: 'approval_requested', approval: 'a_1', kind: 'tool', tool: 'Bash', input: {}, toolUseId: 'a' },
      ],
      ['Bash waiting'],
    ],
    [
      'a denied approval',
      [
        ...tool('a'),
        { type: 'approval_requested', approval: 'a_1', kind: 'tool', tool: 'Bash', input: {}, toolUseId: 'a' },
        { type: 'approval_resolved', approval: 'a_1', decision: 'deny', by: ann },
        result('a', true),
      ],
      ['Bash denied'],
    ],
    [
      'who cancelled, and why',
      [
        { type: 'cancel_requested', by: ann, reason: 'enough', mode: 'interrupt' },
        { type: 'cancelled', by: ann, ...outcome },
      ],
      ['line: Ann asked to cancel: enough', 'cancelled'],
    ],
    [
      'the prompt of a run that was cancelled in the queue',
      [
        { type: 'run_queued', prompt: 'Later', origin: { client: 'c_1', name: 'test' } },
        { type: 'cancelled', by: ann, ...outcome },
      ],
      ['prompt: Later', 'cancelled'],
    ],
    [
      'a reached limit and the steps that end the run',
      [
        { type: 'limit_reached', limit: 'timeoutMs', value: 90_000 },
        { type: 'cancel_escalated', step: 'sigint' },
        { type: 'cancel_escalated', step: 'terminate' },
        { type: 'cancel_escalated', step: 'kill' },
      ],
      [
        'line: The run has gone on for 1 min 30 s, the run’s limit: it is ended',
        'line: The run did not end in time: its process is interrupted',
        'line: The run did not end in time: its process is asked to end',
        'line: The run did not end in time: its process is killed',
      ],
    ],
    [
      'a reached limit of inactivity',
      [{ type: 'limit_reached', limit: 'inactivityMs', value: 2_000 }],
      ['line: Claude Code has printed nothing for 2.0 s, the run’s limit: it is ended'],
    ],
    [
      'the origin of a fork and of an import',
      [
        { type: 'session_forked', from: { session: 's_1', seq: 9 }, by: ann },
        { type: 'session_imported', claudeSessionId: 'c', by: ann },
      ],
      [
        'line: Ann forked this session from s_1, which has what was said before',
        'line: Ann took up a conversation that was begun elsewhere; what was said there is not shown here',
      ],
    ],
    [
      'session updates with the client that made them',
      [
        { title: 'Fix it', labels: { team: 'core', urgent: '' } },
        { title: '', labels: {} },
        { model: 'opus', permissionMode: 'plan', approvals: {} },
        { claudeSessionId: null },
      ].map(changes => ({ type: 'session_updated', by: ann, changes }) as const),
      [
        'line: Ann named the session “Fix it”, set the labels team=core, urgent',
        'line: Ann removed the title, removed the labels',
        'line: Ann chose the model opus, chose the permission mode plan, changed what becomes of questions',
        'line: Ann let the conversation begin anew',
      ],
    ],
    [
      'a new permission mode once, from either event',
      [
        { type: 'status', status: null, permissionMode: 'acceptEdits' },
        { type: 'status', status: null, permissionMode: 'plan' },
        { type: 'session_updated', by: ann, changes: { permissionMode: 'plan' } },
        { type: 'session_updated', by: ann, changes: { permissionMode: 'default' } },
        { type: 'status', status: null, permissionMode: 'default' },
      ],
      [
        'line: Permission mode is now acceptEdits',
        'line: Ann chose the permission mode plan',
        'line: Ann chose the permission mode default',
      ],
    ],
    [
      'nothing of a run that is queued or moved',
      [
        { type: 'run_queued', prompt: 'Later', origin: ann },
        { type: 'run_moved', by: ann, to: 1 },
      ],
      [],
    ],
    [
      'rate limits, failed hooks, notices, unparsed output and damage',
      [
        { type: 'rate_limit', status: 'rejected', limitType: 'five_hour' },
        { type: 'hook', phase: 'ended', name: 'lint', event: 'Stop', outcome: 'error' },
        { type: 'hook', phase: 'ended', name: 'lint', event: 'Stop', outcome: 'success' },
        { type: 'notice', kind: 'system/some_news', frame: {} },
        { type: 'notice', kind: 'stream_event', frame: {} },
        { type: 'unparsed', reason: 'no JSON', bytes: 4, head: 'oops' },
        { type: 'log_damaged', log: 'raw', bytes: 12, detail: 'checksum' },
        { type: 'user_message', text: 'Also this', origin: null, synthetic: false, replay: false },
        { type: 'claude_session_changed', from: 'a', to: 'b', reason: 'clear' },
        { type: 'compaction', trigger: 'auto', preTokens: 150_000, postTokens: 20_000 },
      ],
      [
        'line: The five hour limit is reached',
        'line: Hook lint: error',
        'line: Claude Code: some news',
        'line: Claude Code printed 4 B that are no frame (no JSON)',
        'line: The log is damaged here: 12 B of output (checksum)',
        'line: Also this',
        'line: Conversation cleared: Claude has forgotten what is above',
        'line: Conversation compacted (auto, 150 k to 20.0 k tokens)',
      ],
    ],
    [
      'lost background work, with the number of omitted tasks',
      [
        { type: 'background_lost', tasks: [{ id: 'b1', description: 'npm run dev' }, { id: 'b2' }], more: 0 },
        { type: 'background_lost', tasks: [{ id: 'b3' }], more: 7 },
      ],
      [
        'line: Background work ended unfinished: npm run dev, b2',
        'line: Background work ended unfinished: b3 and 7 more',
      ],
    ],
    ['nothing of allowed rate limits', [{ type: 'rate_limit', status: 'allowed' }], []],
    ['nothing of an unknown event type', [{ type: 'something_new' } as unknown as EventBody], []],
  ])('shows %s', (_what, bodies, items) => {
    expect(shown(itemsOf(session(...bodies)))).toEqual(items)
  })

  it('keeps the answer to an approval with its input, client and remembered flag', () => {
    const [item] = itemsOf(
      session(
        ...tool('a', { command: 'ls' }),
        {
          type: 'approval_requested',
          approval: 'a_1',
          kind: 'tool',
          tool: 'Bash',
          input: {},
          toolUseId: 'a',
          description: 'Lists',
          expiresAt: 7,
        },
        {
          type: 'approval_resolved',
          approval: 'a_1',
          decision: 'allow',
          by: ann,
          input: { command: 'ls -a' },
          remembered: [{}],
        },
      ),
    )
    expect(item).toMatchObject({
      state: 'running',
      input: { command: 'ls -a' },
      approval: { description: 'Lists', expiresAt: 7, resolved: { decision: 'allow', by: ann, isRemembered: true } },
    })
  })

  it('tracks the current tool and when Claude Code was last heard in a run', () => {
    const transcript = createTranscript()
    const current = session(
      ...tool('a'),
      { type: 'approval_requested', approval: 'a_1', kind: 'tool', tool: 'Bash', input: {}, toolUseId: 'a' },
      ...tool('b'),
      { type: 'cancel_requested', by: ann, mode: 'interrupt' },
      { type: 'approval_resolved', approval: 'a_1', decision: 'withdrawn' },
      result('b'),
      done,
    ).map(event => {
      transcript.add(event)
      return [transcript.current?.toolUseId, transcript.facts.heardAt]
    })
    expect(current).toEqual([
      ['a', 0],
      ['a', 1_000],
      ['a', 2_000],
      ['a', 3_000],
      ['a', 4_000],
      ['a', 4_000],
      ['b', 4_000],
      ['a', 7_000],
      [undefined, 8_000],
    ])
  })

  it('ignores the resolution of an approval whose call was withdrawn', () => {
    const withdrawn = itemsOf(
      session(
        started('m'),
        ...tool('a'),
        { type: 'approval_requested', approval: 'a_1', kind: 'tool', tool: 'Bash', input: {}, toolUseId: 'a' },
        { type: 'message_discarded', messageId: 'm' },
        { type: 'approval_resolved', approval: 'a_1', decision: 'withdrawn' },
      ),
    )
    expect(shown(withdrawn)).toEqual([])
  })

  it('shows a gap in its position', () => {
    const gap: Gap = { type: 'gap', reason: 'trimmed', from: 1, to: 9, epoch: 'e' }
    const [first, last] = session(started('m'), text('x', 'm'))
    expect(shown(itemsOf([first!, gap, { ...last!, seq: 10 }]))).toEqual([
      'line: Events 2 to 9 are no longer kept',
      'text: x',
    ])
  })

  it('keeps the latest model, permission mode and context size', () => {
    const transcript = createTranscript()
    for (const event of recordings.find(({ name }) => name === 'bash.partial.jsonl')!.events) transcript.add(event)
    expect(transcript.facts).toMatchObject({
      model: 'claude-opus-5-5',
      permissionMode: 'default',
      contextTokens: 27,
      contextWindow: 1_000_000,
      run: undefined,
    })
  })

  it('shows all text and every tool result of the recordings', () => {
    for (const { name, events } of recordings) {
      const items = flat(itemsOf(events))
      const withdrawn = new Map(
        events.flatMap(event => (event.type === 'message_discarded' ? [[event.messageId, event.fromIndex ?? 0]] : [])),
      )
      const isKept = (event: Event): event is EventOf<'assistant_text'> =>
        event.type === 'assistant_text' && (event.index ?? 0) < (withdrawn.get(event.messageId!) ?? Infinity)
      const said = events.filter(isKept).map(({ parent, delta }) => [parent, delta] as const)
      const written = items.flatMap(item =>
        item.kind === 'text' ? item.blocks.all.map(({ source }) => [item.lane, source] as const) : [],
      )
      expect(textOfLanes(written), name).toEqual(textOfLanes(said))
      const results = events.filter(({ type }) => type === 'tool_result').length
      expect(items.filter(item => item.kind === 'tool' && item.endedAt !== undefined).length, name).toBe(results)
    }
  })

  it('gives each item its own key, wherever reading starts', () => {
    fc.assert(
      fc.property(fc.constantFrom(...recordings), fc.nat(), ({ events }, seed) => {
        const keys = flat(itemsOf(events.slice(seed % events.length))).map(({ key }) => key)
        expect(new Set(keys).size).toBe(keys.length)
      }),
    )
  })

  it('ends with the same item wherever reading starts', () => {
    for (const { name, events } of recordings) {
      const whole = shown(itemsOf(events))
      // The end of a run is shown wherever the reading begins.
      for (let from = 0; from < events.length; from++) {
        const part = shown(itemsOf(events.slice(from)))
        if (whole.length > 0 && part.length > 0) expect(part.at(-1), `${name} from ${from}`).toEqual(whole.at(-1))
      }
    }
  })
})

const flat = (items: readonly Item[]): Item[] =>
  items.flatMap(item => (item.kind === 'tool' ? [item, ...flat(item.children)] : [item]))

/**
 * Returns the text of each lane without white space: a page shows a sub-agent's text below the call that started it.
 */
function textOfLanes(parts: readonly (readonly [string | undefined, string])[]): Map<string, string> {
  const lanes = new Map<string, string>()
  for (const [lane = 'main', said] of parts) lanes.set(lane, (lanes.get(lane) ?? '') + said.replaceAll(/\s/g, ''))
  return lanes
}
