import { describe, expect, it } from 'vitest'
import { startsProcess } from '../../../daemon/sessions/machine/decide/deliver.ts'
import { activityOf, project, queuedBytes } from '../../../daemon/sessions/machine/project.ts'
import { World } from './support/world.ts'

const settle = (world: World) => {
  for (let round = 0; round < 5; round++) {
    world.commit()
    world.landAll()
  }
}

describe('the records of a session', () => {
  it('have positions and what each queued run waits for', () => {
    const world = new World()
    const [first, second] = [world.enqueue(), world.enqueue()]
    world.input({ input: 'slot_waits', what: 'memory' })
    const { runs, session } = project(world.m, undefined, 1)
    expect(runs.get(first)?.run).toMatchObject({ position: 0, waitingFor: 'memory' })
    expect(runs.get(second)?.run).toMatchObject({ position: 1, waitingFor: 'session' })
    expect(session.state).toBe('running')
    expect(queuedBytes(world.m)).toBe(Buffer.byteLength('prompt 1prompt 2'))
    expect(startsProcess(world.m)).toBe(true)
  })

  it('stay the same objects while they say the same', () => {
    const world = new World()
    world.enqueue()
    const before = project(world.m, undefined, 1)
    const after = project(world.m, before, 2)
    expect(after.session).toBe(before.session)
    expect(after.runs.get('r_1')).toBe(before.runs.get('r_1'))
  })

  it('say what was last heard of a run that goes on', () => {
    const world = new World()
    const run = world.enqueue()
    settle(world)
    expect(activityOf(world.m, run, world.now + 5)).toEqual({ at: 1, silentMs: 5, what: 'run_started' })
    while (world.process!.unread.length > 0) world.process!.readLine()
    world.now += 10
    world.process!.beginTurn('hello')
    world.read(Infinity)
    expect(activityOf(world.m, run, world.now)).toEqual({ at: 11, silentMs: 0, what: 'assistant_text' })
    expect(startsProcess(world.m)).toBe(false)
  })
})
