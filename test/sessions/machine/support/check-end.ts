import assert from 'node:assert/strict'
import { terminalTypes } from '../../../../protocol/events.ts'
import type { World } from './world.ts'

const ends = new Set<string>(terminalTypes)

/** Checks what must hold at the end of each history. */
export function checkEnd(world: World): void {
  const { events } = world.stored
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  )
  const ended = new Map<string, string>()
  const begun = new Set<string>()
  for (const { run, body } of events) {
    if (run === null) continue
    begun.add(run)
    if (ended.has(run)) throw new Error(`${body.type} of ${run} comes behind its ${ended.get(run)}`)
    if (ends.has(body.type)) ended.set(run, body.type)
  }
  checkPrompts(world, ended)
  const unended = [...begun].filter(run => !ended.has(run))
  assert.deepEqual(unended, [], 'runs without an end')
  assert.equal(world.slot, 'none', 'the slot is not given back')
  assert.deepEqual([...world.unanswered], [], 'calls without an answer')
  assert.deepEqual([...world.locked], [], 'conversations that are still held')
  const { s, v } = world.m
  // The next daemon reads output of a killed process that could not be stored.
  if (v.process) assert.ok(v.process.phase === 'behind' || v.process.pid === null, 'a process that is not ended')
  else assert.deepEqual([s.process, s.open], [null, []], 'a process or questions that are left')
}

function checkPrompts(world: World, ended: Map<string, string>): void {
  const processes = [...world.processes.values()]
  const sent = new Set(processes.flatMap(({ got }) => [...got.keys()]).map(id => id.replace('u_', 'r_')))
  const read = processes.flatMap(process => process.read)
  assert.equal(new Set(read).size, read.length, 'a prompt was read twice')
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

/** A run whose turn ended well may fail only if its end was not stored or read, or if muxd ended the run before. */
function checkFailure(world: World, run: string): void {
  const end = world.stored.events.find(each => each.run === run && each.body.type === 'failed')
  const code = end?.body.type === 'failed' ? end.body.failure.code : undefined
  const causes = ['disk_full', 'internal', 'inactive', 'timed_out', 'crashed', 'rules_refused']
  assert.ok(code !== undefined && causes.includes(code), `${run} went well, and failed as ${code}`)
}

/** Checks that the run shows no sign of life after `since`, before the event with the `seq` `before`. */
function checkSilence(world: World, run: string, before: number, since: number): void {
  const signs = world.stored.events.filter(({ seq, run: of, body }) => of === run && seq < before && isSignOfLife(body))
  const last = Math.max(...signs.map(({ time }) => time))
  if (last > since) throw new Error(`${run} was silent for ${last - since} ms less than its limit`)
}

const isSignOfLife = ({ type }: { type: string }) => type === 'run_started' || type === 'assistant_text'
