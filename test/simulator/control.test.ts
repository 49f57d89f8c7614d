import { describe, expect, test } from 'vitest'
import {
  isQuestion,
  isResult,
  isTextDelta,
  live,
  oneShot,
  parsed,
  play,
  resultOf,
  startSimulator,
  type Frame,
  type Simulator,
} from '../support/simulator.ts'
import { kindOf, recordings } from './shape.ts'

const recorded = recordings()
const result = (index: number) => (frame: Frame) => isResult(frame) && frame['result_index'] === index

function answer(simulator: Simulator, question: Frame, response: object): void {
  const given = { subtype: 'success', request_id: question['request_id'], response }
  simulator.write({ type: 'control_response', response: given })
}

describe('an interrupt', () => {
  test('in the text prints it as an aborted message, and the process takes the next prompt', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:slow delayMs=1000')
    await simulator.frame(isTextDelta)
    simulator.control({ subtype: 'interrupt' }, 'stop')
    const first = await simulator.frame(isResult)
    const aborted = simulator.frames.find(frame => frame['aborted'])!
    const streamed = simulator.frames.filter(isTextDelta).map(({ event }) => event.delta.text as string)
    expect(aborted['message'].content[0].text).toBe(streamed.join(''))
    expect(first).toMatchObject({ subtype: 'error_during_execution', terminal_reason: 'aborted_streaming' })
    simulator.prompt('sim:text still here')
    expect(await simulator.frame(result(1))).toMatchObject({ subtype: 'success', result: 'still here' })
    simulator.end()
    expect(await simulator.ended).toEqual({ code: 0, signal: null })
  })

  test('before the first token, in a tool or at a permission request gives the recorded frames', async () => {
    for (const [prompt, until, recording] of [
      ['sim:long', ({ status }: Frame) => status === 'requesting', 'interrupt-before-headers'],
      ['sim:hang at=tool', ({ event }: Frame) => event?.type === 'message_stop', 'interrupt-tool'],
      ['sim:permission', isQuestion, 'interrupt-permission'],
    ] as const) {
      const speed = recording === 'interrupt-before-headers' ? 0.01 : 100
      const simulator = startSimulator(live, { speed })
      simulator.prompt(prompt)
      await simulator.frame(until)
      simulator.control({ subtype: 'interrupt' }, 'i1')
      await simulator.frame(isResult)
      simulator.end()
      expect(await simulator.ended).toEqual({ code: 1, signal: null })
      const after = (frames: Frame[]) => frames.slice(frames.findIndex(frame => until(frame))).map(kindOf)
      expect(after(simulator.frames)).toEqual(after(recorded.get(recording)!))
      const { subtype, terminal_reason } = resultOf(recorded.get(recording)!)
      expect(resultOf(simulator.frames)).toMatchObject({ subtype, terminal_reason })
    }
  })

  test('stops every script at any step', async () => {
    for (const prompt of [
      'hello',
      'sim:thinking',
      'sim:long',
      'sim:parallel',
      'sim:subagent',
      'sim:retry',
      'sim:hang',
    ]) {
      const simulator = startSimulator(live, { speed: 5 })
      simulator.prompt(prompt)
      await simulator.frame(({ type, status }) => type === 'stream_event' || status === 'requesting')
      simulator.control({ subtype: 'interrupt' })
      expect(await simulator.frame(isResult)).toMatchObject({ subtype: 'error_during_execution', is_error: true })
      simulator.end()
      expect(await simulator.ended).toEqual({ code: 1, signal: null })
    }
  })

  test('between turns is answered and changes nothing', async () => {
    const simulator = startSimulator(live)
    simulator.control({ subtype: 'interrupt' })
    const receipt = await simulator.frame(({ type }) => type === 'control_response')
    expect(receipt['response']).toEqual({ subtype: 'success', request_id: 'c1', response: { still_queued: [] } })
    simulator.end()
    expect(await simulator.ended).toEqual({ code: 0, signal: null })
  })
})

describe('prompts sent during a turn', () => {
  test('wait for the end of a turn that only writes text, and an interrupt lists those that wait', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:slow delayMs=1000')
    await simulator.frame(isTextDelta)
    const second = simulator.prompt('sim:text two')
    await simulator.frame(frame => frame['command_uuid'] === second)
    simulator.control({ subtype: 'interrupt' })
    const receipt = await simulator.frame(({ type }) => type === 'control_response')
    expect(receipt['response'].response).toEqual({ still_queued: [second] })
    expect(await simulator.frame(result(1))).toMatchObject({ result: 'two', user_message_uuid: second })
  })

  test('join the turn after its next tool and share its result, as recorded', async () => {
    const simulator = startSimulator(live)
    const uuids = ['sim:loop rounds=1', 'sim:text two', 'sim:text three'].map(prompt => simulator.prompt(prompt))
    const told = await simulator.frame(isResult)
    simulator.end()
    await simulator.ended
    expect(told).toMatchObject({ result: 'three', user_message_uuid: uuids[0], user_message_uuids: uuids })
    expect(simulator.frames.filter(isResult)).toHaveLength(1)
    const states = (frames: Frame[]) => {
      const order = [...new Set(frames.flatMap(frame => frame['command_uuid'] ?? []))]
      const lifecycle = frames.filter(frame => 'command_uuid' in frame || isResult(frame))
      return lifecycle.map(frame =>
        isResult(frame) ? 'result' : `${order.indexOf(frame['command_uuid'])} ${frame['state']}`,
      )
    }
    expect(states(simulator.frames)).toEqual(states(recorded.get('queued-joins')!))
  })

  test('without a uuid are played without marks', async () => {
    const simulator = startSimulator(live)
    simulator.write({ type: 'user', message: { role: 'user', content: 'sim:text plain' } })
    simulator.end()
    await simulator.ended
    expect(resultOf(simulator.frames)).toMatchObject({ result: 'plain' })
    expect(simulator.frames.some(frame => 'user_message_uuid' in frame || 'command_uuid' in frame)).toBe(false)
  })
})

describe('permission', () => {
  test('an allow runs the tool with the input of the answer', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:permission')
    const question = await simulator.frame(isQuestion)
    expect(question['request']).toMatchObject({ tool_name: 'Write', display_name: 'Write' })
    answer(simulator, question, { behavior: 'allow', updatedInput: { file_path: '/else/where.txt', content: 'x' } })
    const told = await simulator.frame(isResult)
    expect(told['result']).toContain('/else/where.txt')
    expect(told['permission_denials']).toEqual([])
  })

  test('a deny fails the tool, and the turn continues', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:permission')
    answer(simulator, await simulator.frame(isQuestion), { behavior: 'deny', message: 'not here' })
    const told = await simulator.frame(isResult)
    expect(told['result']).toContain('not here')
    expect(told['permission_denials']).toHaveLength(1)
    const refused = simulator.frames.find(frame => kindOf(frame) === 'user/tool_result/refused')!
    expect(refused['message'].content[0]).toMatchObject({ content: 'not here', is_error: true })
  })

  test('a deny with interrupt ends the turn as recorded', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:permission')
    answer(simulator, await simulator.frame(isQuestion), { behavior: 'deny', message: 'no', interrupt: true })
    const told = await simulator.frame(isResult)
    await simulator.frame(({ state }) => state === 'cancelled')
    const after = (frames: Frame[]) => frames.slice(frames.findIndex(isQuestion)).map(kindOf)
    expect(after(simulator.frames)).toEqual(after(recorded.get('deny-interrupt')!))
    expect(told).toMatchObject({ terminal_reason: 'aborted_tools', is_error: true })
  })

  test('parallel tools ask one after the other, and a remembered answer is not asked for again', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:permission tools=2')
    const first = await simulator.frame(isQuestion)
    expect(simulator.frames.filter(isQuestion)).toHaveLength(1)
    const remembered = [{ type: 'setMode', mode: 'acceptEdits', destination: 'session' }]
    const updatedInput = first['request'].input as object
    answer(simulator, first, { behavior: 'allow', updatedInput, updatedPermissions: remembered })
    await simulator.frame(isResult)
    simulator.prompt('sim:permission')
    await simulator.frame(result(1))
    expect(simulator.frames.filter(isQuestion)).toHaveLength(1)
  })

  test('is not asked for when rules or the mode grant it, or in one-shot mode', async () => {
    for (const more of [
      ['--allowedTools', 'Write'],
      ['--permission-mode', 'bypassPermissions'],
    ]) {
      const { frames } = await play('sim:permission', [...live, ...more])
      expect(frames.some(isQuestion)).toBe(false)
      expect(resultOf(frames)['result']).toContain('It was allowed')
    }
    const forbidden = await play('sim:permission', [...live, '--disallowedTools=Write'])
    expect(resultOf(forbidden.frames)['permission_denials']).toHaveLength(1)
    const silent = startSimulator([...oneShot, 'sim:permission'])
    await silent.ended
    expect(silent.frames.some(({ subtype }) => subtype === 'permission_denied')).toBe(true)
  })

  test('questions and plans are asked in the same way', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:question options=Blue,Green Which one?')
    const question = await simulator.frame(isQuestion)
    const { questions } = question['request'].input
    expect(questions[0]).toMatchObject({ question: 'Which one?', multiSelect: false })
    const updatedInput = { questions, answers: { 'Which one?': 'Blue' } }
    answer(simulator, question, { behavior: 'allow', updatedInput })
    expect((await simulator.frame(isResult))['result']).toContain('"Which one?":"Blue"')
    simulator.prompt('sim:plan')
    const plan = await simulator.frame(frame => isQuestion(frame) && frame['request'].tool_name === 'ExitPlanMode')
    answer(simulator, plan, { behavior: 'allow', updatedInput: plan['request'].input })
    expect((await simulator.frame(result(1)))['result']).toContain('go on')
  })

  test('is not asked for once the input has ended, and an open request is denied', async () => {
    const { frames, code } = await play('sim:permission')
    expect(frames.some(isQuestion)).toBe(false)
    expect(resultOf(frames)['result']).toContain('AbortError: Stream closed')
    expect(code).toBe(0)
    const asked = startSimulator(live)
    asked.prompt('sim:permission')
    await asked.frame(isQuestion)
    asked.end()
    expect((await asked.frame(isResult))['result']).toContain('stream closed before response received')
    expect(await asked.ended).toEqual({ code: 0, signal: null })
  })
})

test('control requests set the mode and the model, and invalid ones fail as recorded', async () => {
  const simulator = startSimulator(live)
  simulator.control({ subtype: 'initialize' }, 'init')
  simulator.control({ subtype: 'set_model', model: 'fancy' }, 'model')
  simulator.control({ subtype: 'set_permission_mode', mode: 'plan' }, 'mode')
  simulator.control({ subtype: 'set_permission_mode', mode: 'bad' }, 'bad')
  simulator.control({ subtype: 'nonsense' }, 'unknown')
  simulator.prompt('sim:text hi')
  simulator.end()
  await simulator.ended
  const answerTo = (id: string) => simulator.frames.find(({ response }) => response?.request_id === id)!['response']
  expect(answerTo('init').response).toMatchObject({
    claude_code_version: '2.1.329',
    current_permission_mode: 'default',
  })
  expect(answerTo('model').response).toEqual({ model: 'muxd-simulator:fancy' })
  expect(answerTo('mode').response).toEqual({ mode: 'plan' })
  const errors = recorded.get('controls')!.flatMap(({ response }) => (response?.subtype === 'error' ? response : []))
  expect(answerTo('unknown')).toEqual({ ...errors[0], request_id: 'unknown' })
  expect(answerTo('bad')).toEqual({ ...errors[1], request_id: 'bad' })
  const init = simulator.frames.find(({ subtype }) => subtype === 'init')
  expect(init).toMatchObject({ model: 'muxd-simulator:fancy', permissionMode: 'plan' })
})

test('the simulator identifies itself by its model, its key source and its text', async () => {
  const { frames } = await play('What is the capital of France?')
  const init = frames.find(({ subtype }) => subtype === 'init')
  expect(init).toMatchObject({ model: 'muxd-simulator', apiKeySource: 'none (simulator)' })
  const models = frames.flatMap(({ message }) => message?.model ?? [])
  expect(new Set(models)).toEqual(new Set(['muxd-simulator']))
  expect(Object.keys(resultOf(frames)['modelUsage'])).toEqual(['muxd-simulator'])
  expect(resultOf(frames)['result']).toMatch(/What is the capital of France\?.*simulated/)
})

test('a line that is not JSON ends the process, also during a turn', async () => {
  const simulator = startSimulator(live)
  simulator.prompt('sim:slow')
  await simulator.frame(isTextDelta)
  simulator.write('garbage line')
  expect(await simulator.ended).toEqual({ code: 1, signal: null })
  expect(simulator.stderr).toBe('Error parsing streaming input line (type=unknown, 12 chars): SyntaxError\n')
  expect(simulator.frames.some(isResult)).toBe(false)
})

test('a prompt of 2 MB is read completely', async () => {
  const { frames } = await play(`sim:text ${'x'.repeat(2_000_000)}`, oneShot.concat(['--input-format', 'stream-json']))
  expect(resultOf(frames)['result']).toHaveLength(2_000_000)
})

test('user lines are repeated with --replay-user-messages', async () => {
  const { frames } = await play('sim:text hi', [...live, '--replay-user-messages'])
  const repeated = frames.find(({ isReplay }) => isReplay)
  expect(repeated?.['message'].content).toEqual([{ type: 'text', text: 'sim:text hi' }])
})

test('the text of sub-agents is printed only with --forward-subagent-text', async () => {
  const spoken = (frames: Frame[]) => frames.filter(frame => kindOf(frame) === 'assistant/text/lane')
  expect(spoken((await play('sim:subagent')).frames)).toHaveLength(0)
  expect(spoken((await play('sim:subagent agents=2', [...live, '--forward-subagent-text'])).frames)).toHaveLength(2)
})

test('the text and json formats print only the result', async () => {
  const text = startSimulator(['-p', 'sim:text only this'])
  await text.ended
  expect(text.stdout.toString()).toBe('only this\n')
  const json = startSimulator(['-p', '--output-format', 'json', 'sim:text only this'])
  await json.ended
  expect(parsed(json.stdout.toString())).toMatchObject({ type: 'result', result: 'only this' })
})
