import { describe, expect, it } from 'vitest'
import { project, type Records } from '../../../daemon/sessions/machine/project.ts'
import { queuedOf } from '../../../daemon/sessions/recovery/stored-facts.ts'
import { run as runRecord } from '../../support/records.ts'
import { client, World } from './support/world.ts'

/** Queues runs `r_1` to `r_<count>`. `changed` returns the records that changed since the call before. */
function setUp(count: number) {
  const world = new World()
  for (let index = 0; index < count; index++) world.enqueue()
  let before: Records | undefined
  const changed = () => {
    const { runs } = (before = project(world.m, before, 1))
    const all = [...runs.values()].map(({ run }) => run)
    const told = all.filter(run => !seen.includes(run))
    seen = all
    return told.map(({ run, position, waitingFor }) => `${run} ${position} ${waitingFor ?? ''}`.trim())
  }
  let seen: object[] = []
  const order = () => world.m.s.queue.map(({ run }) => run.run.slice(2)).join('')
  const move = (run: string, to: number) => world.call({ input: 'move', run, to, by: client(1) })
  return { world, changed, order, move }
}

describe('the queue of a session', () => {
  it('reports the position of each run, and what the run waits for', () => {
    const { world, changed } = setUp(3)
    expect(changed()).toEqual(['r_1 0', 'r_2 1 session', 'r_3 2 session'])
    world.input({ input: 'slot_waits', what: 'memory' })
    expect(changed()).toEqual(['r_1 0 memory'])
    world.call({ input: 'cancel', run: 'r_1', mode: 'interrupt', by: client(1) })
    expect(changed()).toEqual(['r_2 0 memory', 'r_3 1 session'])
  })

  it.each<[string, number, string]>([
    ['r_4', 0, '4123'],
    ['r_1', 2, '2314'],
    ['r_1', 99, '2341'],
    ['r_2', 1, '1234'],
  ])('moves %s to %i: %s', (run, to, expected) => {
    const { world, order, move } = setUp(4)
    move(run, to)
    expect(order()).toBe(expected)
    const { runs } = project(world.m, undefined, 1)
    expect([...runs.values()].map(each => each.run.position)).toEqual([0, 1, 2, 3])
  })

  it('has one event for a move beyond the end, with the last position, and none if it is repeated', () => {
    const { world, move } = setUp(3)
    move('r_1', 99)
    move('r_1', 99)
    const moved = world.pending.events.filter(({ body }) => body.type === 'run_moved')
    expect(moved).toMatchObject([{ run: 'r_1', body: { to: 2 } }])
  })

  it('reports only runs whose position has changed', () => {
    const { world, changed, move } = setUp(4)
    changed()
    move('r_4', 2)
    expect(changed()).toEqual(['r_4 2 session', 'r_3 3 session'])
    world.call({ input: 'cancel', run: 'r_3', mode: 'interrupt', by: client(1) })
    expect(changed()).toEqual([])
  })

  it('is restored by position, and runs without a position keep their order', () => {
    const queued = (id: string, position: number | null = null) => runRecord(id, 's_1', { state: 'queued', position })
    const names = (unfinished: ReturnType<typeof queued>[]) => queuedOf({ unfinished }).map(({ run }) => run.run)
    expect(names([queued('a', 2), queued('b', 0), queued('c', 1)])).toEqual(['b', 'c', 'a'])
    expect(names([queued('a'), queued('b'), queued('c')])).toEqual(['a', 'b', 'c'])
  })
})
