import { describe, expect, it } from 'vitest'
import { createScheduler, type Scheduler } from '../../../daemon/sessions/scheduling/scheduler.ts'
import { createSlot } from '../../../daemon/sessions/effects/slot.ts'

function sessionOf(scheduler: Scheduler) {
  const told: string[] = []
  const slot = createSlot(scheduler, {
    startsProcess: () => true,
    granted: () => void told.push('granted'),
    waits: what => void told.push(what),
  })
  return { told, slot }
}

describe('the slot of a session', () => {
  it('is granted at once if one is free, else when another session has returned its slot', () => {
    const scheduler = createScheduler({ maxRuns: 1 })
    const [one, other] = [sessionOf(scheduler), sessionOf(scheduler)]
    one.slot.carryOut('ask_slot')
    other.slot.carryOut('ask_slot')
    expect([one.told, other.told]).toEqual([['granted'], ['slot']])
    one.slot.carryOut('give_slot')
    expect(other.told).toEqual(['slot', 'granted'])
    expect(scheduler.active).toBe(1)
  })

  it('is given to a run that is active already, even above maxRuns, and is returned once', () => {
    const scheduler = createScheduler({ maxRuns: 1 })
    const [one, other] = [sessionOf(scheduler), sessionOf(scheduler)]
    for (const { slot } of [one, other]) slot.carryOut('take_slot')
    expect(scheduler.active).toBe(2)
    for (let count = 0; count < 2; count++) one.slot.carryOut('give_slot')
    expect(scheduler.active).toBe(1)
  })

  it('does not count while it is lent', () => {
    const scheduler = createScheduler({ maxRuns: 1 })
    const [one, other] = [sessionOf(scheduler), sessionOf(scheduler)]
    one.slot.carryOut('ask_slot')
    other.slot.carryOut('ask_slot')
    one.slot.carryOut('lend_slot')
    expect(other.told).toEqual(['slot', 'granted'])
    one.slot.carryOut('reclaim_slot')
    expect(scheduler.active).toBe(2)
  })

  it('can be requested again after a waiting request was withdrawn, without a leak', () => {
    const scheduler = createScheduler({ maxRuns: 1 })
    const [one, other] = [sessionOf(scheduler), sessionOf(scheduler)]
    one.slot.carryOut('ask_slot')
    other.slot.carryOut('ask_slot')
    other.slot.carryOut('give_slot')
    one.slot.carryOut('give_slot')
    expect([other.told, scheduler.active]).toEqual([['slot'], 0])
    for (let count = 0; count < 2; count++) other.slot.carryOut('ask_slot')
    expect(scheduler.active).toBe(1)
  })
})
