import { describe, expect, it } from 'vitest'
import { allow, cancel, lastOf, later, pass, running, sentTo, typesOf } from './support/running.ts'
import { client, config, World } from './support/world.ts'

describe('a process', () => {
  it('that can serve only one run has its input closed at the end of that run', () => {
    const { world, run, process } = running({ maxBudgetUsd: 1 })
    expect(process.inputEnded).toBe(false)
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run).type).toBe('done')
    expect(process.inputEnded).toBe(true)
  })

  it('that is idle is kept for idleCloseMs, and for longer while it has background work', () => {
    const { world, process } = running()
    process.tasks(['build'])
    process.endTurn()
    world.read(Infinity)
    world.commit()
    later(world, config.idleCloseMs * 3)
    expect(process.inputEnded).toBe(false)
    process.tasks([])
    world.read(Infinity)
    later(world, config.idleCloseMs - 1)
    expect(process.inputEnded).toBe(false)
    later(world, 1)
    expect(process.inputEnded).toBe(true)
  })

  it('that was signalled for a run and outlives it is ended after the grace time, even if the queue is empty', () => {
    const { world, run, process } = running()
    cancel(world, run)
    later(world, config.cancelGraceMs)
    expect(process.signalled).toBe(true)
    process.readLine()
    process.endTurn()
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', ended: 'process' })
    later(world, config.resultGraceMs - 1)
    expect(world.m.v.process?.forced).toBe(false)
    later(world, 1)
    expect(world.m.v.process).toMatchObject({ forced: true, ending: { step: 'terminate' } })
    later(world, config.resultGraceMs)
    expect(process.exit).not.toBeNull()
  })

  it('does not get the answers of a run that has ended', () => {
    const { world, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    allow(world)
    world.commit()
    expect(world.m.s.answered).toHaveLength(1)
    while (process.unread.length > 0) process.readLine()
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(world.m.s.answered).toEqual([])
    const sent = sentTo(process, 'answer').length
    world.crash()
    expect(world.m.s.answered).toEqual([])
    pass(world)
    expect(sentTo(process, 'answer')).toHaveLength(sent)
  })
})

describe('a close', () => {
  it('waits for the run, then for the process, and is answered when the process is gone', () => {
    const { world, process } = running()
    const call = world.call({ input: 'close', sweep: false })
    pass(world)
    expect(process.inputEnded).toBe(false)
    process.endTurn()
    world.read(Infinity)
    pass(world)
    expect(process.inputEnded).toBe(true)
    expect(world.answers.get(call)).toBeUndefined()
    process.ends(0)
    world.read(Infinity)
    expect(world.answers.get(call)).toBeUndefined()
    pass(world)
    expect(world.answers.get(call)).toMatchObject({ effect: 'answer', after: 'published' })
    expect(world.m.s.closed).toBe(true)
  })

  it('with a sweep keeps the session until what was left behind is ended', () => {
    const left = { processes: [{ pid: 1, startedAt: 1, command: 'x', identity: 'y' }], more: 0 }
    const world = new World({ left })
    const call = ++world.calls
    world.unanswered.add(call)
    const closing = world.input({ input: 'close', call, sweep: true })
    expect(closing.effects).toEqual([{ effect: 'end_left' }])
    const ended = world.input({ input: 'left_ended' })
    expect(ended.effects.map(({ effect }) => effect)).toEqual(['answer', 'forget'])
    expect(world.m.s.session.left).toBeUndefined()
    world.commit()
  })

  it('is undone by the next run', () => {
    const { world, process } = running()
    process.endTurn()
    world.read(Infinity)
    world.call({ input: 'close', sweep: false })
    pass(world)
    process.ends(0)
    world.read(Infinity)
    pass(world)
    const run = world.enqueue()
    pass(world)
    expect(world.m.s.closed).toBe(false)
    expect(typesOf(world, run)).toContain('run_started')
  })
})

describe('a denial with interrupt', () => {
  it('does not cancel a run if a policy denies, only if a client does', () => {
    const { world, run, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    const { approval } = world.m.s.open[0]!.approval
    const answer = { behavior: 'deny', message: 'no', interrupt: true } as const
    const resolution = { decision: 'deny', by: { policy: 'deny' }, message: 'no', answer } as const
    world.call({ input: 'answer', approval, resolution, by: client(1) })
    world.commit()
    expect(typesOf(world, run)).toContain('approval_resolved')
    expect(typesOf(world, run)).not.toContain('cancel_requested')
  })
})
