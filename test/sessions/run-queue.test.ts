import { describe, expect, it } from 'vitest'
import { type ActiveRun, resumeRun } from '../../daemon/sessions/active-run.ts'
import { createRunQueue, inQueueOrder } from '../../daemon/sessions/run-queue.ts'
import { run as runRecord } from '../support/records.ts'

const queued = (id: string, position: number | null = null): ActiveRun =>
  resumeRun(runRecord(id, 's_1', { state: 'queued', position }))

/** Creates a queue of runs named by letters. `told` records the changes that it reports. */
function setUp(names: string) {
  const told: string[] = []
  const queue = createRunQueue(
    ({ stored: { run } }) => void told.push(`${run.run}${run.position} ${run.waitingFor ?? ''}`.trim()),
  )
  queue.push(...names.split('').map(name => queued(name)))
  const order = () => [...queue].map(({ stored }) => stored.run.run).join('')
  const at = (name: string) => queue.find(name)!
  return { queue, told, order, at }
}

describe('the queue of a session', () => {
  it('reports the position of each run, and what the run waits for', () => {
    const { queue, told } = setUp('abc')
    expect(told).toEqual(['a0', 'b1 session', 'c2 session'])
    told.length = 0
    queue.waitFor('memory')
    expect(told).toEqual(['a0 memory'])
    told.length = 0
    queue.shift()
    expect(told).toEqual(['b0 memory', 'c1 session'])
  })

  it.each<[string, number, number, string]>([
    ['d', 0, 0, 'dabc'],
    ['a', 2, 2, 'bcad'],
    ['a', 99, 3, 'bcda'],
    ['b', 1, 1, 'abcd'],
  ])('moves %s to %i, at position %i: %s', (name, to, place, expected) => {
    const { queue, order, at } = setUp('abcd')
    expect(queue.move(at(name), to)).toBe(place)
    expect(order()).toBe(expected)
    expect([...queue].map(({ stored }) => stored.run.position)).toEqual([0, 1, 2, 3])
  })

  it('reports only runs whose position has changed', () => {
    const { queue, told, at } = setUp('abcd')
    told.length = 0
    queue.move(at('d'), 2)
    expect(told).toEqual(['d2 session', 'c3 session'])
    told.length = 0
    queue.remove(at('c'))
    expect(told).toEqual([])
  })

  it('is restored by position, and runs without a position keep their order', () => {
    const names = (runs: ActiveRun[]) => inQueueOrder(runs).map(({ stored }) => stored.run.run)
    expect(names([queued('a', 2), queued('b', 0), queued('c', 1)])).toEqual(['b', 'c', 'a'])
    expect(names([queued('a'), queued('b'), queued('c')])).toEqual(['a', 'b', 'c'])
  })
})
