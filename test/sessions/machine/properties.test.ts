import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { terminalTypes } from '../../../protocol/events.ts'
import { drain, operation, play } from './support/histories.ts'
import { World } from './support/world.ts'

/**
 * Random histories of a session in a simulated world. The world checks each input, effect and restart; these tests check
 * the log and what is left at the end. `MUXD_TEST_HISTORIES` sets their number.
 */
const histories = Number(process.env['MUXD_TEST_HISTORIES'] ?? 250)
const operations = fc.array(operation, { maxLength: 200, size: 'max' })

describe('a session in any history of calls, output, faults and restarts', () => {
  it('ends each run once, answers each call, and is the fold of what is stored', () => {
    fc.assert(
      fc.property(operations, fc.boolean(), (steps, oneShot) => {
        const world = new World({}, oneShot)
        for (const each of steps) play(world, each)
        world.commit()
        world.crash()
        drain(world)
        checkEnd(world)
      }),
      { numRuns: histories },
    )
  }, 600_000)

  it('ends its process and each run when the daemon stops', () => {
    fc.assert(
      fc.property(operations, steps => {
        const world = new World()
        for (const each of steps) play(world, each)
        world.commit()
        world.input({ input: 'shutdown', reason: 'the daemon stops' })
        for (let round = 0; round < 40 && !world.isStopped; round++) {
          world.commit()
          while (world.flights.length > 0) world.land()
          const { process } = world
          if (process && !process.stubborn && (process.signalled || process.inputEnded)) process.ends(0)
          world.read(Infinity)
          world.now += 110
          world.tick()
        }
        world.commit()
        expect(world.isStopped).toBe(true)
        checkEnd(world)
      }),
      { numRuns: Math.ceil(histories / 2) },
    )
  }, 600_000)
})

const ends = new Set<string>(terminalTypes)

function checkEnd(world: World): void {
  const { events } = world.stored
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  const ended = new Map<string, string>()
  const begun = new Set<string>()
  for (const { run, body } of events) {
    if (run === null) continue
    begun.add(run)
    if (ended.has(run)) throw new Error(`${body.type} of ${run} comes behind its ${ended.get(run)}`)
    if (ends.has(body.type)) ended.set(run, body.type)
  }
  checkPrompts(world, ended)
  expect([...begun].filter(run => !ended.has(run))).toEqual([])
  expect(world.slot).toBe('none')
  expect([...world.unanswered]).toEqual([])
  expect([...world.locked]).toEqual([])
  // What a killed process has printed is read by the next daemon.
  if (world.m.v.process?.phase !== 'behind') expect(world.m.s.open).toEqual([])
}

function checkPrompts(world: World, ended: Map<string, string>): void {
  const processes = [...world.processes.values()]
  const sent = new Set(processes.flatMap(({ got }) => [...got.keys()]).map(id => id.replace('u_', 'r_')))
  const read = processes.flatMap(process => process.read)
  expect(new Set(read).size).toBe(read.length)
  const arrived = new Set(read.map(id => id.replace('u_', 'r_')))
  const hardest = new Map<string, number>()
  for (const { seq, run, body, time } of world.stored.events) {
    if (body.type === 'cancel_requested') {
      const mode = ['interrupt', 'terminate', 'kill'].indexOf(body.mode)
      if (mode <= (hardest.get(run!) ?? -1)) throw new Error('a cancel that is no harder has an event')
      hardest.set(run!, mode)
    }
    if (body.type === 'cancelled' && body.ended === 'nothing' && arrived.has(run!))
      throw new Error(`${run} arrived, and its cancel ended nothing`)
    if (body.type === 'done' && /^r_\d+$/.test(run!) && !sent.has(run!))
      throw new Error(`${run} is done, and was not sent`)
    if (body.type === 'limit_reached' && body.limit === 'inactivityMs')
      checkSilence(world, run!, seq, time - body.value)
  }
  for (const [run, isGood] of world.outcomes) if (isGood && ended.get(run) === 'failed') checkFailure(world, run)
}

/** A run whose turn ended well fails only because its end could not be stored or read. */
function checkFailure(world: World, run: string): void {
  const end = world.stored.events.find(each => each.run === run && each.body.type === 'failed')
  const code = end?.body.type === 'failed' ? end.body.failure.code : undefined
  expect(['disk_full', 'internal', 'inactive', 'timed_out', 'crashed', 'rules_refused']).toContain(code)
}

/** Nothing of the run is newer than the time that it was silent for. */
function checkSilence(world: World, run: string, before: number, since: number): void {
  const signs = world.stored.events.filter(({ seq, run: of, body }) => of === run && seq < before && isSignOfLife(body))
  const last = Math.max(...signs.map(({ time }) => time))
  if (last > since) throw new Error(`${run} was silent for ${last - since} ms less than its limit`)
}

const isSignOfLife = ({ type }: { type: string }) => type === 'run_started' || type === 'assistant_text'
