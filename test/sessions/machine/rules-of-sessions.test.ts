import { describe, expect, it } from 'vitest'
import { allow, cancel, lastOf, later, pass, running, sentTo, typesOf } from './support/running.ts'
import { client, config, World } from './support/world.ts'

const done = { type: 'done' as const, response: '', transcript: [], numTurns: 1, durationMs: 1 }
const question = (requestId: string) => ({
  requestId,
  kind: 'tool' as const,
  tool: 'Bash',
  input: {},
  toolUseId: `t_${requestId}`,
  inBackground: false,
})
const ownTurn = { at: 'started' as const, promptUuids: [], background: { kind: 'task' } }
const slotEffects = (effects: readonly { effect: string }[]) =>
  effects.flatMap(({ effect }) => (effect.endsWith('_slot') ? effect : []))

/** A one-shot session whose process has printed its result. */
function heldRun(limits = {}) {
  const world = new World({}, true)
  const run = world.enqueue(limits)
  pass(world)
  const process = world.process!
  while (process.unread.length > 0) process.readLine()
  process.beginTurn('first ')
  process.endTurn()
  world.read(Infinity)
  world.commit()
  return { world, run, process }
}

/** A session whose process is stored and is being started. */
function starting() {
  const world = new World()
  const run = world.enqueue()
  for (let round = 0; round < 2; round++) {
    world.commit()
    world.landAll()
  }
  world.commit()
  return { world, run }
}

describe('a run whose outcome is held', () => {
  it('ends with the outcome when the agent begins its own turn, without forcedExit', () => {
    const { world, run, process } = heldRun()
    process.print({ turn: ownTurn })
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'done', response: 'first ' })
    expect(lastOf(world, run)).not.toHaveProperty('forcedExit')
    expect(world.m.s.background).not.toBeNull()
  })

  it('cannot hit a limit', () => {
    const { world, run } = heldRun({ timeoutMs: 300, inactivityMs: 150 })
    world.now += 1_000
    world.input({ input: 'tick', printedAt: 1 })
    world.commit()
    expect(typesOf(world, run)).not.toContain('limit_reached')
  })
})

describe('the partial answer of a process that ended', () => {
  it('belongs to the background run, not to the run whose prompt waits', () => {
    const { world, run, process } = running(undefined, {}, false)
    process.print({ turn: ownTurn, text: 'on my own' })
    world.read(Infinity)
    const own = world.m.s.background!.stored.run.run
    process.ends(1)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, own)).toMatchObject({ type: 'failed', response: 'on my own' })
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', response: '' })
  })
})

describe('a cancel', () => {
  it('keeps the name of its first client, and only a harder request of another client has an event', () => {
    const { world, run, process } = running()
    const request = (n: number, mode: 'interrupt' | 'terminate' | 'kill') =>
      world.call({ input: 'cancel', run, mode, reason: `r${n}`, by: client(n) })
    request(1, 'terminate')
    request(2, 'terminate')
    request(3, 'interrupt')
    request(4, 'kill')
    pass(world)
    const asked = world.stored.events.flatMap(({ body }) => (body.type === 'cancel_requested' ? [body.mode] : []))
    expect(asked).toEqual(['terminate', 'kill'])
    process.ends(137)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', by: client(1), reason: 'r1', mode: 'kill' })
  })

  it('after a restart interrupts a prompt that an earlier daemon has sent, even before the rules are answered', () => {
    const { world, run, process } = running(undefined, { approvals: { rules: ['deny Web'] } }, false)
    world.crash()
    pass(world)
    cancel(world, run)
    world.commit()
    expect(typesOf(world, run)).not.toContain('cancelled')
    expect(sentTo(process, 'interrupt')).toHaveLength(1)
  })

  it('is answered after publication if it ends the run at once, else after its commit', () => {
    const { world, run } = running()
    const queued = world.enqueue()
    const atOnce = cancel(world, queued)
    const waiting = cancel(world, run)
    world.commit()
    expect(world.answers.get(atOnce)).toMatchObject({ after: 'published', result: { run: { state: 'cancelled' } } })
    expect(world.answers.get(waiting)).toMatchObject({ after: 'commit', result: { run: { state: 'cancelling' } } })
  })
})

describe('the slot of a session', () => {
  it('is returned at the end of a run, and requested again for the next run', () => {
    const { world, process } = running()
    world.enqueue()
    process.endTurn()
    const { raw, id, end } = process
    const out = world.input({ input: 'output', process: id, lines: raw.slice(-1), offset: end })
    expect(slotEffects(out.effects)).toEqual(['give_slot', 'ask_slot'])
  })

  it('is requested once, and the request is withdrawn when the last queued run is cancelled', () => {
    const world = new World()
    const [first, second] = [world.enqueue(), world.enqueue()]
    expect(slotEffects(world.pending.effects)).toEqual(['ask_slot'])
    world.commit()
    cancel(world, first)
    expect(slotEffects(world.pending.effects)).toEqual([])
    cancel(world, second)
    expect(slotEffects(world.pending.effects)).toEqual(['give_slot'])
  })

  it('is returned at once by a run that ends while the slot is lent', () => {
    const { world, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    world.commit()
    expect(world.slot).toBe('lent')
    process.ends(1)
    world.read(Infinity)
    world.commit()
    expect(world.slot).toBe('none')
  })

  it('is taken after a restart for an active run, and requested for a queued one', () => {
    const { world } = running()
    world.crash()
    world.commit()
    expect(world.slot).toBe('held')
    const other = new World()
    other.enqueue()
    other.commit()
    other.crash()
    other.commit()
    expect(other.slot).toBe('asked')
  })
})

describe('a question', () => {
  it('of a run that is being cancelled cannot be answered, and the error names the canceller', () => {
    const { world, run, process } = running()
    cancel(world, run)
    process.print({ signals: [{ signal: 'asked', question: question('late') }] })
    world.read(Infinity)
    const call = allow(world)
    world.commit()
    expect(world.answers.get(call)).toMatchObject({
      effect: 'refuse',
      error: { kind: 'conflict', details: { decision: 'withdrawn', by: client(1) } },
    })
    expect(sentTo(process, 'answer')).toEqual([])
  })

  it('is answered when the answer is stored, and the next daemon sends the answer again', () => {
    const { world, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    allow(world)
    expect(sentTo(process, 'answer')).toEqual([])
    world.commit()
    expect(sentTo(process, 'answer')).toHaveLength(1)
    // The line was lost with the daemon.
    for (const [id, { command }] of process.got) if (command === 'answer') process.got.delete(id)
    world.crash()
    pass(world)
    expect(sentTo(process, 'answer')).toHaveLength(1)
  })

  it('is decided by a policy only after the output from before a restart is read', () => {
    const { world, run, process } = running(undefined, { approvals: { policy: 'deny' } })
    process.ask('Bash', false)
    process.takeBack(1)
    world.crash()
    world.input({ input: 'output', process: process.id, lines: process.raw.slice(-2, -1), offset: process.end - 10 })
    expect(world.m.s.open).toHaveLength(1)
    pass(world)
    const decided = world.stored.events.flatMap(({ body }) => (body.type === 'approval_resolved' ? [body] : []))
    expect(decided).toMatchObject([{ decision: 'withdrawn' }])
    expect(typesOf(world, run)).toContain('approval_resolved')
  })

  it('is denied unattendedMs after it was asked if no client is connected', () => {
    const { world, process } = running()
    world.input({ input: 'presence', emptySince: world.now })
    world.now += 10_000
    process.ask('Bash', false)
    world.read(Infinity)
    later(world, config.unattendedMs - 1)
    expect(world.m.s.open).toHaveLength(1)
    later(world, 1)
    expect(world.m.s.open).toEqual([])
    expect(sentTo(process, 'answer')).toMatchObject([{ answer: { behavior: 'deny' } }])
  })

  it('expires at its deadline', () => {
    const { world, process } = running(undefined, { approvals: { expiresAfterMs: 250 } })
    process.ask('Bash', false)
    world.read(Infinity)
    later(world, 249)
    expect(world.m.s.open).toHaveLength(1)
    later(world, 1)
    expect(world.m.s.open).toEqual([])
  })
})

describe('the conversation of a process', () => {
  it('is locked under the id that the agent reports, and unlocked when the process ends', () => {
    const { world, process } = running()
    const init = { type: 'session_init' as const, claudeSessionId: 'c_new', tools: [], cwd: '/' }
    process.print({ events: [init as never] })
    const out = world.input({
      input: 'output',
      process: process.id,
      lines: process.raw.slice(-1),
      offset: process.end,
    })
    expect(out.effects).toContainEqual({ effect: 'hold_conversation', process: process.id, conversation: 'c_new' })
    process.ends(0)
    world.commit()
    world.read(Infinity)
    expect(world.pending.effects).toContainEqual({ effect: 'release_conversation', process: process.id })
  })

  it.each([
    ['lost in its first moments, whenever that is found, is begun anew', null, null],
    ['that ended by itself after 10 s is kept', 1, 'c_new'],
  ])('of a process %s', (_what, status, kept) => {
    const { world, process } = running()
    const init = { type: 'session_init' as const, claudeSessionId: 'c_new', tools: [], cwd: '/' }
    process.print({ events: [init as never] })
    world.read(Infinity)
    world.commit()
    expect(world.m.s.session.conversationId).toBe('c_new')
    world.now += 10_000
    process.ends(status)
    world.read(Infinity)
    pass(world)
    expect(world.m.s.session.conversationId).toBe(kept)
  })

  it('cannot be given up while a run or background work goes on', () => {
    const { world, process } = running()
    const giveUp = () => {
      const call = world.call({ input: 'update', changes: { conversationId: null }, by: client(1) })
      pass(world)
      return world.answers.get(call)
    }
    expect(giveUp()).toMatchObject({ effect: 'refuse', error: { kind: 'conflict' } })
    process.tasks(['build'])
    process.endTurn()
    world.read(Infinity)
    expect(giveUp()).toMatchObject({ effect: 'refuse', error: { kind: 'conflict', details: { backgroundTasks: 1 } } })
    process.tasks([])
    world.read(Infinity)
    expect(giveUp()).toBeUndefined()
    expect(process.inputEnded).toBe(true)
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(typesOf(world, null)).toContain('session_updated')
  })
})

describe('a daemon that stops', () => {
  const stop = (world: World) => void world.input({ input: 'shutdown', reason: 'the daemon stops' })

  it('starts nothing that was being prepared', () => {
    const world = new World()
    const run = world.enqueue()
    world.commit()
    world.landAll()
    world.commit()
    expect(world.m.v.process?.phase).toBe('preparing')
    stop(world)
    pass(world)
    expect(world.processes.size).toBe(0)
    expect(lastOf(world, run)).toMatchObject({ type: 'interrupted', reason: 'the daemon stops' })
    expect(world.isStopped).toBe(true)
  })

  it('waits for a process that is being started, and ends it', () => {
    const { world, run } = starting()
    expect(world.m.v.process?.phase).toBe('starting')
    stop(world)
    world.commit()
    expect(world.isStopped).toBe(false)
    pass(world)
    expect(world.process?.signalled).toBe(true)
    expect(world.isStopped).toBe(false)
    world.process!.ends(143)
    world.read(Infinity)
    pass(world)
    expect(world.isStopped).toBe(true)
    expect(lastOf(world, run)).toMatchObject({ type: 'interrupted', reason: 'the daemon stops' })
  })
})

describe('a process that was stored and never started', () => {
  it('is dropped after a restart, and its run gets another process', () => {
    const { world, run } = starting()
    const first = world.m.s.process!.id
    world.crash()
    pass(world)
    expect(world.m.s.process!.id).not.toBe(first)
    expect([...world.processes.keys()]).toEqual([world.m.s.process!.id])
    expect(sentTo(world.process!, 'prompt')).toHaveLength(1)
    expect(typesOf(world, run).filter(type => type === 'run_started')).toHaveLength(1)
  })
})

describe('damage that recovery finds', () => {
  it('is in the log once, and the session continues', () => {
    const { world, run, process } = running()
    world.crash({ isDamaged: true })
    pass(world)
    world.crash()
    pass(world)
    const damaged = world.stored.events.filter(({ body }) => body.type === 'log_damaged')
    expect(damaged).toMatchObject([{ body: { log: 'raw', bytes: 7 } }])
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run).type).toBe('done')
  })
})

describe('a result that names no prompt', () => {
  it('does not end a run whose turn has not begun, if the agent names prompts', () => {
    const { world, process } = running()
    process.endTurn()
    world.read(Infinity)
    const next = world.enqueue()
    pass(world)
    process.print({ turn: { at: 'ended', promptUuids: [], background: null }, outcome: done })
    world.read(Infinity)
    world.commit()
    expect(world.m.s.active?.stored.run.run).toBe(next)
  })
})
