import { describe, expect, it } from 'vitest'
import { nextDeadline } from '../../../daemon/sessions/machine/decide/deadlines.ts'
import { cancel, lastOf, later, pass, running, sentTo, typesOf } from './support/running.ts'
import { client, config, World } from './support/world.ts'

const effectsOf = (out: { effects: readonly { effect: string }[] }) => out.effects.map(({ effect }) => effect)

describe('a limit of a run', () => {
  it('that passed before a restart is applied only after the rules and the prompt are sent again', () => {
    const { world, run, process } = running({ timeoutMs: 300 }, { approvals: { rules: ['deny Web'] } }, false)
    expect(sentTo(process, 'prompt')).toHaveLength(1)
    world.now += 1_000
    world.crash()
    pass(world)
    later(world, 0)
    // The process has not answered the rules, so the prompt is not sent again, and an interrupt would come before it.
    expect(world.m.v.process?.rules).toBe('asked')
    expect(typesOf(world, run)).not.toContain('limit_reached')
    expect(nextDeadline(world.m)).toBeGreaterThan(world.now)

    while (process.unread.length > 0) process.readLine()
    process.beginTurn('hello ')
    world.read(Infinity)
    pass(world)
    later(world, 0)
    expect(typesOf(world, run)).toContain('limit_reached')
    expect(sentTo(process, 'interrupt')).toHaveLength(1)
    process.readLine()
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'timed_out' } })
    expect(typesOf(world, run)).not.toContain('cancel_escalated')
  })

  it('for inactivity is checked only at a tick, which knows the time of the newest output', () => {
    const { world, run, process } = running({ inactivityMs: 150 })
    world.now += 140
    process.print({ text: 'unread ' })
    world.now += 20
    world.input({ input: 'presence', emptySince: undefined })
    world.call({ input: 'use' })
    world.commit()
    expect(typesOf(world, run)).not.toContain('limit_reached')
    later(world, 0)
    expect(typesOf(world, run)).not.toContain('limit_reached')
    world.now += 130
    world.input({ input: 'presence', emptySince: undefined })
    world.commit()
    expect(typesOf(world, run)).not.toContain('limit_reached')
    later(world, 0)
    expect(typesOf(world, run)).toContain('limit_reached')
  })

  it('for the total time is checked at any input', () => {
    const { world, run } = running({ timeoutMs: 300 })
    world.now += 299
    world.input({ input: 'presence', emptySince: undefined })
    expect(world.m.s.active?.exceeded).toBeUndefined()
    world.now += 1
    world.input({ input: 'presence', emptySince: undefined })
    world.commit()
    expect(typesOf(world, run)).toContain('limit_reached')
  })

  it('that was reached is the reason of the end, and a later cancel only makes the end harder', () => {
    const { world, run, process } = running({ timeoutMs: 300 })
    later(world, 300)
    const out = world.input({ input: 'cancel', call: ++world.calls, run, mode: 'terminate', by: client(1) })
    world.unanswered.add(world.calls)
    world.commit()
    expect(effectsOf(out)).toContain('signal')
    process.ends(143)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'timed_out' } })
  })

  it('does not count for a run that is being cancelled', () => {
    const { world, run, process } = running({ timeoutMs: 50 })
    cancel(world, run)
    later(world, 60)
    expect(typesOf(world, run)).not.toContain('limit_reached')
    process.readLine()
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', ended: 'turn', by: client(1) })
  })
})

describe('the steps of a cancel', () => {
  it('end with the run, even if a step is due', () => {
    const { world, run, process } = running()
    cancel(world, run)
    world.commit()
    process.readLine()
    process.endTurn()
    world.now += config.cancelGraceMs
    const out = world.input({ input: 'output', process: process.id, lines: process.raw.slice(-3), offset: process.end })
    expect(effectsOf(out)).not.toContain('signal')
    world.commit()
    expect(lastOf(world, run).type).toBe('cancelled')
    expect(effectsOf(world.input({ input: 'tick' }))).toEqual([])
  })

  it.each([
    ['terminate', { effect: 'signal', signal: 'SIGTERM' }],
    ['kill', { effect: 'kill' }],
  ] as const)('begin with %s if that is requested', (mode, expected) => {
    const { world, run, process } = running()
    const call = ++world.calls
    world.unanswered.add(call)
    const { effects } = world.input({ input: 'cancel', call, run, mode, by: client(1) })
    expect(effects).toContainEqual({ ...expected, process: process.id })
    expect(effects.filter(({ effect }) => effect === 'send')).toEqual([])
    world.commit()
    expect(typesOf(world, run)).not.toContain('cancel_escalated')
  })

  it('repeat the last step after a restart, with a new grace time', () => {
    const { world, run, process } = running()
    cancel(world, run)
    later(world, config.cancelGraceMs)
    expect(typesOf(world, run).filter(type => type === 'cancel_escalated')).toHaveLength(1)
    process.signalled = false
    world.now += 10_000
    world.crash()
    pass(world)
    expect(world.m.v.process?.pursuit).toMatchObject({ step: 'sigint', at: world.now })
    expect(process.signalled).toBe(true)
    expect(typesOf(world, run).filter(type => type === 'cancel_escalated')).toHaveLength(1)
  })

  it('do not count the time in which the computer slept', () => {
    const { world, run } = running()
    cancel(world, run)
    world.now += config.cancelGraceMs + 5_000
    world.input({ input: 'slept', from: world.now - 5_000, to: world.now })
    expect(world.m.v.process?.pursuit?.step).toBe('sigint')
    const at = world.now
    world.now += config.cancelGraceMs + 5_000 - 1
    world.input({ input: 'slept', from: at, to: at + 5_000 })
    expect(world.m.v.process?.pursuit?.step).toBe('sigint')
    later(world, 1)
    expect(world.m.v.process?.pursuit?.step).toBe('terminate')
  })
})

describe('a run without a process', () => {
  it('ends at once if it is cancelled while its process is prepared, and no process starts', () => {
    const world = new World()
    const run = world.enqueue()
    world.commit()
    world.landAll()
    expect(world.m.v.process?.phase).toBe('preparing')
    cancel(world, run)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', ended: 'nothing' })
    expect([...world.processes.keys()]).toEqual([])
    expect([...world.locked]).toEqual([])
  })

  it('fails at its limit while its process is starting, and the process serves the next run', () => {
    const world = new World()
    const run = world.enqueue({ timeoutMs: 300 })
    for (let round = 0; round < 2; round++) {
      world.commit()
      world.landAll()
    }
    world.commit()
    expect(world.m.v.process?.phase).toBe('starting')
    later(world, 300)
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'timed_out' } })
    const next = world.enqueue()
    pass(world)
    expect([...world.process!.got.keys()]).toContain('u_2')
    expect(typesOf(world, next)).toContain('run_started')
    expect(world.processes.size).toBe(1)
  })
})
