import { describe, expect, test } from 'vitest'
import {
  isQuestion,
  isResult,
  isTextDelta,
  live,
  oneShot,
  play,
  startSimulator,
  type Frame,
} from '../support/simulator.ts'
import { keyPaths, kindOf, recordings } from './shape.ts'

const recorded = recordings()
const partials = [...oneShot, '--include-partial-messages']

/** For each kind of frame: the keys of any recorded frame, and the keys that every one has. */
const known = new Map<string, { all: Set<string>; always: Set<string> }>()
for (const frame of [...recorded.values()].flat()) {
  const kind = kindOf(frame)
  const paths = keyPaths(frame)
  const so = known.get(kind)
  if (!so) known.set(kind, { all: paths, always: new Set(paths) })
  else {
    for (const path of paths) so.all.add(path)
    for (const path of so.always) if (!paths.has(path)) so.always.delete(path)
  }
}

// Paths and details of a real installation, which the simulator does not have.
const leftOut = [
  /^memory_paths/,
  /^messaging_socket_path$/,
  /^plugins\[]\./,
  /^mcp_servers\[]\./,
  /^response\.response\.(user_output_styles_dir|hook|hooks|other_hook|feedback_mode|remote_control|ide_rc|fast_mode_dis)/,
  /^response\.response\.(agents|commands|models)\[]\./,
  /^request_sent_wall_ms$|^first_request_/,
  /^message\.usage\.(service_tier|cache_creation_input_tokens|cache_read_input_tokens)$/,
]

describe.each([
  ['with partial messages', live],
  ['without partial messages', live.filter(flag => flag !== '--include-partial-messages')],
])('%s, every frame has the keys of a recorded frame of its kind', (_, args) => {
  test.each([
    'hello there',
    'sim:text',
    'sim:thinking',
    'sim:long words=30',
    'sim:tools',
    'sim:parallel',
    'sim:loop rounds=2',
    'sim:broken-input',
    'sim:subagent agents=2',
    'sim:background takesMs=300',
    'sim:retry',
    'sim:midstream',
    'sim:history',
    'sim:flood frames=50',
    '/clear',
    ...'rate_limit overloaded server network auth forbidden billing invalid_request not_found prompt_too_long max_tokens refusal max_turns budget'
      .split(' ')
      .map(kind => `sim:fail kind=${kind} retries=1`),
  ])('%s', async prompt => {
    const { frames } = await play(prompt, args)
    expect(frames.some(isResult)).toBe(true)
    expectKnownShapes(frames)
  })
})

test('permission requests, denials, interrupts and control requests give frames with known keys', async () => {
  const simulator = startSimulator(live)
  simulator.control({ subtype: 'initialize' })
  simulator.prompt('sim:permission')
  const question = await simulator.frame(isQuestion)
  const id = question['request_id'] as string
  const denied = { behavior: 'deny', message: 'not now' }
  simulator.write({ type: 'control_response', response: { subtype: 'success', request_id: id, response: denied } })
  await simulator.frame(isResult)
  for (const request of [
    { subtype: 'set_model', model: 'other' },
    { subtype: 'set_permission_mode', mode: 'acceptEdits' },
    { subtype: 'set_permission_mode', mode: 'nonsense' },
    { subtype: 'nonsense' },
  ])
    simulator.control(request, request.subtype)
  simulator.prompt('sim:slow delayMs=1000')
  await simulator.frame(isTextDelta)
  simulator.control({ subtype: 'interrupt' }, 'stop')
  await simulator.frame(frame => isResult(frame) && frame['result_index'] === 1)
  simulator.end()
  await simulator.ended
  expect(simulator.frames.filter(isResult)).toHaveLength(2)
  expectKnownShapes(simulator.frames)
})

describe('the frames come in the order of the recording', () => {
  const like = (prompt: string, recording: string, args: string[] = partials) => ({ prompt, recording, args })
  test.each([
    like('sim:text', 'text.partial'),
    like('sim:text', 'text', oneShot),
    like('sim:thinking', 'think.partial'),
    like('sim:thinking', 'think', oneShot),
    like('sim:loop rounds=1', 'bash.partial'),
    like('sim:loop rounds=1', 'bash', oneShot),
    like('sim:parallel tools=2', 'para.partial'),
    like('sim:parallel tools=2', 'para', oneShot),
    like('sim:permission', 'denied.partial'),
    like('sim:permission', 'denied', oneShot),
    like('sim:midstream', 'midError.partial'),
    like('sim:midstream', 'midError', oneShot),
    like('sim:retry', 'retry529.partial'),
    like('sim:background takesMs=300', 'bgbash.partial'),
    like('sim:background takesMs=300', 'bgbash', oneShot),
    like('sim:fail kind=auth retries=1', 'e401.partial'),
    like('sim:fail kind=overloaded retries=2', 'e529forever.partial'),
    like('sim:loop rounds=9', 'loopMax2.partial', [...partials, '--max-turns', '2']),
    like('sim:subagent tools=1', 'agent', oneShot),
  ])('$prompt, as $recording', async ({ prompt, recording, args }) => {
    const simulator = startSimulator([...args, prompt])
    simulator.end()
    await simulator.ended
    expect(order(simulator.frames)).toEqual(order(recorded.get(recording)!))
  })

  test('a live process prints an allowed tool and an interrupted text as in live-turns', async () => {
    const simulator = startSimulator(live)
    simulator.control({ subtype: 'initialize' }, 'init')
    simulator.prompt('sim:text')
    await simulator.frame(frame => frame['state'] === 'completed')
    simulator.prompt('sim:permission')
    const question = await simulator.frame(isQuestion)
    const allowed = { behavior: 'allow', updatedInput: question['request'].input }
    const response = { subtype: 'success', request_id: question['request_id'], response: allowed }
    simulator.write({ type: 'control_response', response })
    await simulator.frame(frame => isResult(frame) && frame['result_index'] === 1)
    const uuid = simulator.prompt('sim:slow delayMs=2000')
    await simulator.frame(
      frame => isTextDelta(frame) && simulator.frames.some(({ user_message_uuid: mark }) => mark === uuid),
    )
    simulator.control({ subtype: 'interrupt' }, 'i1')
    await simulator.frame(frame => frame['state'] === 'cancelled')
    simulator.end()
    expect(await simulator.ended).toEqual({ code: 1, signal: null })
    expect(order(simulator.frames)).toEqual(order(recorded.get('live-turns')!))
  })

  test('each kind of failed turn is printed as recorded', async () => {
    for (const [kind, recording] of Object.entries({
      billing: 'error-billing',
      not_found: 'error-404',
      forbidden: 'error-403',
      invalid_request: 'error-400',
      prompt_too_long: 'error-prompt-too-long',
      network: 'error-network',
      server: 'error-500',
      rate_limit: 'error-429',
    })) {
      const { frames, code } = await play(`sim:fail kind=${kind} retries=1`)
      const told = (all: Frame[]) => {
        const { subtype, is_error, terminal_reason, api_error_status, api_error_type, api_error } = all.find(isResult)!
        const { error } = all.find(({ type }) => type === 'assistant')!
        return { subtype, is_error, terminal_reason, api_error_status, api_error_type, api_error, error }
      }
      expect(code).toBe(1)
      expect(order(frames)).toEqual(order(recorded.get(recording)!))
      expect(told(frames)).toEqual(told(recorded.get(recording)!))
    }
  })
})

function expectKnownShapes(frames: Frame[]): void {
  for (const frame of frames) {
    const kind = kindOf(frame)
    const shape = known.get(kind)
    expect(shape, `a recorded frame of the kind ${kind}`).toBeDefined()
    const paths = keyPaths(frame)
    const unknown = [...paths].filter(path => !shape!.all.has(path))
    const missing = [...shape!.always].filter(path => !paths.has(path) && !leftOut.some(left => left.test(path)))
    expect({ kind, unknown, missing }).toEqual({ kind, unknown: [], missing: [] })
  }
}

/** Returns the kinds in order. Consecutive deltas count once, and so does thinking with its token counts. */
function order(frames: Frame[]): string[] {
  const kinds = frames.map(kindOf)
  return kinds.filter(
    (kind, index) => kind !== kinds[index - 1] && !(kind === kinds[index - 2] && /thinking/.test(kind)),
  )
}
