import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type SchedulerOptions,
  type SlotRequest,
  createScheduler,
} from '../../../daemon/sessions/scheduling/scheduler.ts'
import { until } from '../../support/until.ts'

/** Creates a scheduler for named requests. `told` records what happens to them, in order. */
function setUp(options: SchedulerOptions) {
  const scheduler = createScheduler(options)
  const told: string[] = []
  const request = (name: string, fields: Partial<SlotRequest> = {}) =>
    scheduler.request({
      startsProcess: () => true,
      granted: () => void told.push(name),
      waits: what => void told.push(`${name} waits for ${what}`),
      ...fields,
    })
  return { scheduler, told, request }
}

describe('scheduler', () => {
  it('admits up to maxRuns requests at once and the others in their order', () => {
    const { told, request } = setUp({ maxRuns: 2 })
    const places = ['a', 'b', 'c', 'd'].map(name => request(name))
    expect(told).toEqual(['a', 'b', 'c waits for slot', 'd waits for slot'])
    told.length = 0
    places[1]?.leave()
    expect(told).toEqual(['c'])
    places[0]?.leave()
    expect(told).toEqual(['c', 'd'])
  })

  it('frees a slot once, however often it is given back', () => {
    const { scheduler, request } = setUp({ maxRuns: 1 })
    const place = request('a')
    place.lend()
    place.leave()
    place.leave()
    place.takeBack()
    expect(scheduler.active).toBe(0)
  })

  it('admits another request while a slot is lent, and none while more than maxRuns are active', () => {
    const { scheduler, told, request } = setUp({ maxRuns: 1 })
    const first = request('first')
    first.lend()
    const second = request('second')
    const third = request('third')
    first.takeBack()
    first.takeBack()
    expect(scheduler.active).toBe(2)
    second.leave()
    expect(scheduler.active).toBe(1)
    expect(told).toEqual(['first', 'second', 'third waits for slot'])
    first.leave()
    expect(told.at(-1)).toBe('third')
    third.leave()
    expect(scheduler.active).toBe(0)
  })

  it('forgets a request that was withdrawn while it waited', () => {
    const { told, request } = setUp({ maxRuns: 1 })
    const first = request('first')
    const withdrawn = request('withdrawn')
    request('last')
    withdrawn.leave()
    first.leave()
    expect(told.filter(text => !text.includes('waits'))).toEqual(['first', 'last'])
  })
})

describe('scheduler without memory', () => {
  const short = (fields: Partial<SchedulerOptions> = {}) => {
    const memory = { enough: false }
    const all = setUp({ maxRuns: 3, hasMemory: () => memory.enough, recheckMs: 5, ...fields })
    onTestFinished(() => void (memory.enough = true))
    return { memory, ...all }
  }

  it('admits the first request and those that start no process, while the others wait for memory', () => {
    const { told, request } = short()
    request('first, however little there is')
    request('second')
    request('with a process', { startsProcess: () => false })
    request('fourth')
    expect(told).toEqual([
      'first, however little there is',
      'second waits for memory',
      'with a process',
      'fourth waits for memory',
    ])
  })

  it('rechecks after recheckMs and admits the waiting requests in order', async () => {
    const { memory, told, request } = short()
    request('first')
    request('second')
    request('third')
    memory.enough = true
    await until(() => expect(told.slice(-2)).toEqual(['second', 'third']))
  })

  it('admits a waiting request on recheck() if there is memory by then', () => {
    const { scheduler, memory, told, request } = short({ recheckMs: 1_000_000 })
    request('first')
    request('second')
    memory.enough = true
    scheduler.recheck()
    expect(told.at(-1)).toBe('second')
  })

  it('admits a request without memory if no active request is left that could free some', () => {
    const { told, request } = short({ recheckMs: 1_000_000 })
    const first = request('first')
    request('second')
    first.leave()
    expect(told.at(-1)).toBe('second')
  })

  it('makes a request wait while a slot is lent, since its process could free memory', () => {
    const { scheduler, told, request } = short({ recheckMs: 1_000_000 })
    const first = request('first')
    first.lend()
    request('second')
    expect(told).toEqual(['first', 'second waits for memory'])
    first.leave()
    expect(told.at(-1)).toBe('second')
    expect(scheduler.active).toBe(1)
  })

  it('makes even the first request wait while relieve() can free memory', async () => {
    let idle = 2
    const { scheduler, told, request } = short({ recheckMs: 1_000_000, relieve: () => idle > 0 })
    request('first')
    expect(told).toEqual(['first waits for memory'])
    idle = 0
    scheduler.recheck()
    expect(told.at(-1)).toBe('first')
  })

  it('reports when a request waits for a slot instead of memory', () => {
    const { scheduler, told, request } = short({ maxRuns: 2, recheckMs: 1_000_000 })
    request('first')
    request('second')
    const taken = scheduler.take()
    scheduler.recheck()
    expect(told).toEqual(['first', 'second waits for memory', 'second waits for slot'])
    taken.leave()
    expect(told.at(-1)).toBe('second waits for memory')
  })
})
