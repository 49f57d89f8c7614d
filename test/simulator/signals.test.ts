import { describe, expect, test } from 'vitest'
import { isQuestion, isResult, isTextDelta, live, startSimulator, type Frame } from '../support/simulator.ts'
import { hasProc, untilIdle } from '../support/proc.ts'
import { kindOf, recordings } from './shape.ts'

const recorded = recordings()
const requesting = ({ status }: Frame) => status === 'requesting'
const toolRuns = ({ event }: Frame) => event?.type === 'message_stop'

/** Starts the prompt, waits for the matching frame, and sends the signal. */
async function signalled(prompt: string, until: (frame: Frame) => boolean, name: NodeJS.Signals, speed = 100) {
  const simulator = startSimulator(live, { speed })
  simulator.prompt(prompt)
  await simulator.frame(until)
  simulator.signal(name)
  return { ...(await simulator.ended), frames: simulator.frames }
}

const after = (frames: Frame[], until: (frame: Frame) => boolean) =>
  frames
    .slice(frames.findIndex(until) + 1)
    .map(kindOf)
    .filter(kind => !kind.startsWith('stream/content_block_delta'))

describe('SIGINT', () => {
  test('in the text prints the aborted message and a result, and exits with 0', async () => {
    const { code, frames } = await signalled('sim:slow delayMs=3000', isTextDelta, 'SIGINT')
    expect(code).toBe(0)
    expect(after(frames, isTextDelta)).toEqual(after(recorded.get('sigint-text')!, isTextDelta))
    expect(frames.find(isResult)).toMatchObject({ terminal_reason: 'aborted_streaming', is_error: true })
  })

  test('in a tool prints the rejected call and a result, and exits with 0', async () => {
    const { code, frames } = await signalled('sim:hang at=tool', toolRuns, 'SIGINT')
    expect(code).toBe(0)
    expect(after(frames, toolRuns)).toEqual(after(recorded.get('sigint-tool')!, toolRuns))
  })

  test('before the first token or at a permission request prints no result, and exits with 0', async () => {
    const early = await signalled('sim:long', requesting, 'SIGINT', 0.01)
    expect(early.code).toBe(0)
    expect(after(early.frames, requesting)).toEqual(after(recorded.get('sigint-before-headers')!, requesting))
    expect(early.frames.some(isResult)).toBe(false)
    const asking = await signalled('sim:permission', isQuestion, 'SIGINT')
    expect(asking.code).toBe(0)
    expect(after(asking.frames, isQuestion)).toEqual(after(recorded.get('sigint-permission')!, isQuestion))
    expect(asking.frames.some(isResult)).toBe(false)
  })

  test('between turns exits with 0', async () => {
    const ended = await signalled('sim:text hi', ({ state }) => state === 'completed', 'SIGINT')
    expect(ended).toMatchObject({ code: 0, signal: null })
  })
})

test('SIGTERM and SIGHUP exit with 143 and 129, without a result', async () => {
  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const ended = await signalled('sim:slow delayMs=3000', isTextDelta, name)
    expect(ended).toMatchObject({ code, signal: null })
    expect(ended.frames.some(isResult)).toBe(false)
  }
})

test.skipIf(!hasProc)('SIGTERM ends the simulator even when its output is not read', async () => {
  const simulator = startSimulator(live)
  simulator.prompt('sim:flood frames=100000000')
  await simulator.frame(isTextDelta)
  simulator.stopReading()
  await untilIdle(simulator.pid)
  simulator.signal('SIGTERM')
  expect(await simulator.ended).toEqual({ code: 143, signal: null })
})

describe('sim:hang', () => {
  test('ignores the given signals and interrupts', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:hang ignore=interrupt,int,term,hup')
    await simulator.frame(isTextDelta)
    simulator.control({ subtype: 'interrupt' }, 'ignored')
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) simulator.signal(name)
    // Two rounds, so that the second answer comes long after the signals have arrived.
    for (const id of ['answered', 'answered again']) {
      simulator.control({ subtype: 'nonsense' }, id)
      await simulator.frame(({ response }) => response?.request_id === id)
    }
    expect(simulator.frames.some(({ response }) => response?.request_id === 'ignored')).toBe(false)
    expect(simulator.frames.some(isResult)).toBe(false)
    simulator.signal('SIGKILL')
    expect(await simulator.ended).toEqual({ code: null, signal: 'SIGKILL' })
  })

  test('at the start prints nothing for the prompt', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:hang at=start')
    simulator.control({ subtype: 'nonsense' }, 'answered')
    await simulator.frame(({ response }) => response?.request_id === 'answered')
    expect(simulator.frames.map(({ type }) => type)).toEqual(['control_response'])
    simulator.signal('SIGTERM')
    expect(await simulator.ended).toEqual({ code: 143, signal: null })
  })

  test('after the result neither ends with the input nor takes another prompt', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:hang at=result')
    await simulator.frame(isResult)
    simulator.prompt('sim:text more')
    simulator.end()
    simulator.signal('SIGTERM')
    expect(await simulator.ended).toEqual({ code: 143, signal: null })
    expect(simulator.frames.filter(isResult)).toHaveLength(1)
  })
})

describe('sim:crash', () => {
  test('with a code prints text and stderr, but no result', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:crash code=9 stderr="it broke"')
    expect(await simulator.ended).toEqual({ code: 9, signal: null })
    expect(simulator.stderr).toBe('it broke\n')
    expect(simulator.frames.some(isTextDelta)).toBe(true)
    expect(simulator.frames.some(isResult)).toBe(false)
  })

  test('with a signal ends by that signal, without a result', async () => {
    for (const name of ['SIGKILL', 'SIGSEGV', 'SIGTERM'] as const) {
      const simulator = startSimulator(live)
      simulator.prompt(`sim:crash signal=${name}`)
      expect(await simulator.ended).toEqual({ code: null, signal: name })
      expect(simulator.frames.some(isResult)).toBe(false)
    }
  })

  test('with sim:silent prints nothing and exits with the code', async () => {
    const simulator = startSimulator(live)
    simulator.prompt('sim:silent code=4')
    expect(await simulator.ended).toEqual({ code: 4, signal: null })
    expect(simulator.stdout.toString() + simulator.stderr).toBe('')
  })
})
