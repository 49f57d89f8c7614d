import { describe, expect, it } from 'vitest'
import { limits } from '../../../protocol/limits.ts'
import { allow, cancel, lastOf, later, pass, running, sentTo, typesOf } from './support/running.ts'
import { client, config, diskFull, World } from './support/world.ts'

/** Rules of the session machine that random histories rarely test, or that need a named case to be understood. */

describe('the end of a run', () => {
  it('has the reason disk_full, not the limit that the run hit before', () => {
    const { world, run } = running({ timeoutMs: 300 })
    later(world, 300)
    world.input({ input: 'storage_failed', failure: diskFull })
    world.commit()
    expect(typesOf(world, run)).toContain('limit_reached')
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'disk_full' } })
  })

  it('comes from a limit that passed while no daemon ran, after the output is read', () => {
    const { world, run, process } = running({ timeoutMs: 300 })
    world.now += 1_000
    world.crash()
    expect(typesOf(world, run)).not.toContain('limit_reached')
    pass(world)
    later(world, 0)
    expect(typesOf(world, run)).toContain('limit_reached')
    expect(sentTo(process, 'interrupt')).toHaveLength(1)
    process.readLine()
    process.readLine()
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'timed_out' } })
  })

  it('comes from the result if the turn ended while no daemon ran, even if a limit passed too', () => {
    const { world, run, process } = running({ timeoutMs: 300, inactivityMs: 200 })
    process.endTurn()
    world.now += 1_000
    world.crash()
    pass(world)
    expect(lastOf(world, run).type).toBe('done')
  })

  it('does not come from inactivity if the process has printed lines that are not read yet', () => {
    const { world, run, process } = running({ inactivityMs: 150 })
    world.now += 140
    process.print({ text: 'unread ' })
    later(world, 20)
    expect(typesOf(world, run)).not.toContain('limit_reached')
    later(world, 150)
    expect(typesOf(world, run)).toContain('limit_reached')
  })

  it('comes from inactivity counted from the last answer, also after a restart', () => {
    const { world, run, process } = running({ inactivityMs: 150 })
    process.ask('Bash', false)
    world.read(Infinity)
    world.now += 400
    allow(world)
    world.commit()
    world.crash()
    pass(world)
    later(world, 100)
    expect(typesOf(world, run)).not.toContain('limit_reached')
    later(world, 60)
    expect(typesOf(world, run)).toContain('limit_reached')
  })
})

describe('a cancel', () => {
  it('takes each step only when the one before had no effect in time, and repeats the last', () => {
    const { world, run } = running()
    const taken: string[] = []
    const stepsOf = (effects: readonly { effect: string; signal?: string; lineId?: string }[]) =>
      effects.flatMap(({ effect, signal, lineId }) =>
        effect === 'send' && lineId?.startsWith('interrupt')
          ? ['interrupt']
          : effect === 'kill'
            ? ['kill']
            : (signal ?? []),
      )
    const cancelled = world.input({ input: 'cancel', call: 100, run, mode: 'interrupt', by: client(1) })
    taken.push(...stepsOf(cancelled.effects))
    world.unanswered.add(100)
    for (let step = 0; step < 5; step++) {
      world.now += config.cancelGraceMs - 1
      taken.push(...stepsOf(world.input({ input: 'tick' }).effects))
      world.now += 1
      taken.push(...stepsOf(world.input({ input: 'tick' }).effects))
    }
    expect(taken).toEqual(['interrupt', 'SIGINT', 'SIGTERM', 'kill', 'kill', 'kill'])
  })

  it('can skip to a later step, but never goes back', () => {
    const { world, run } = running()
    const effects = (mode: 'interrupt' | 'terminate' | 'kill') => {
      const call = ++world.calls
      world.unanswered.add(call)
      return world.input({ input: 'cancel', call, run, mode, by: client(1) }).effects.map(({ effect }) => effect)
    }
    effects('interrupt')
    expect(effects('kill')).toContain('kill')
    expect(effects('terminate')).toEqual(['answer'])
  })

  it('sends no prompt to a process from SIGINT on, and ends a process that outlives the run', () => {
    const { world, run, process } = running()
    cancel(world, run)
    world.enqueue()
    pass(world)
    later(world, 100)
    expect(world.m.v.process).toMatchObject({ signalled: true, closing: true })
    process.readLine()
    process.endTurn()
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', ended: 'process' })
    expect(sentTo(process, 'prompt')).toHaveLength(1)
    const outlives = world.m.v.process
    later(world, 200)
    expect(outlives).toMatchObject({ forced: true, ending: { step: 'terminate' } })
    later(world, 200)
    expect(process.exit).not.toBeNull()
  })

  it('ends nothing if the prompt waits for the answer to the rules', () => {
    const { world, run, process } = running(undefined, { approvals: { rules: ['deny Web'] } }, false)
    expect(process.read).toEqual([])
    const other = new World({ approvals: { rules: ['deny Web'] } })
    const waiting = other.enqueue()
    pass(other)
    expect(sentTo(other.process!, 'prompt')).toEqual([])
    cancel(other, waiting)
    other.commit()
    expect(lastOf(other, waiting)).toMatchObject({ type: 'cancelled', ended: 'nothing' })
    expect(sentTo(other.process!, 'prompt')).toEqual([])
    expect(typesOf(world, run)).toContain('run_started')
  })

  it('interrupts again, under a new id, if the prompt was still queued', () => {
    const { world, run, process } = running(undefined, {}, false)
    cancel(world, run)
    world.commit()
    process.prompts = [`u_1`]
    process.unread = process.unread.filter(({ command }) => command === 'interrupt')
    process.readLine()
    world.read(Infinity)
    world.commit()
    expect(sentTo(process, 'interrupt')).toHaveLength(2)
  })

  it('is not inferred from a process that ends before it reads the prompt: the next process gets the prompt', () => {
    const { world, run, process } = running()
    process.endTurn()
    world.read(Infinity)
    const second = world.enqueue()
    pass(world)
    expect(world.m.s.active?.stored.run.run).toBe(second)
    process.ends(130)
    world.read(Infinity)
    pass(world)
    const next = world.process!
    expect(next.id).not.toBe(process.id)
    expect([...next.got.keys()]).toContain('u_2')
    expect(lastOf(world, run).type).toBe('done')
    next.ends(1)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, second).type).toBe('failed')
  })

  it('by a deny with interrupt names the client, and the next daemon repeats its interrupt', () => {
    const { world, run, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    const { approval } = world.m.s.open[0]!.approval
    const answer = { behavior: 'deny', message: 'no', interrupt: true } as const
    const resolution = { decision: 'deny', by: client(4), message: 'no', answer } as const
    world.call({ input: 'answer', approval, resolution, by: client(4) })
    world.commit()
    expect(typesOf(world, run)).toContain('cancel_requested')
    expect(world.m.s.active?.cancel).toMatchObject({ by: client(4), reason: 'no' })
    world.crash()
    pass(world)
    expect(sentTo(process, 'interrupt')).toHaveLength(2)
  })
})

describe('a question', () => {
  it('that is repeated, even after its answer, is one approval', () => {
    const { world, run, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    allow(world)
    process.raw.push({ ...process.raw.at(-1)!, offset: process.end + 10 })
    world.read(Infinity)
    world.commit()
    expect(typesOf(world, run).filter(type => type === 'approval_requested')).toHaveLength(1)
    expect(world.m.s.open).toEqual([])
  })

  it('is denied if its run ends while another turn of the process continues, which would wait for ever', () => {
    const { world, process } = running(undefined, {}, false)
    process.print({ turn: { at: 'started', promptUuids: [], background: { kind: 'task' } } })
    const question = {
      requestId: 'q',
      kind: 'tool' as const,
      tool: 'Bash',
      input: {},
      toolUseId: 't',
      inBackground: false,
    }
    process.print({ signals: [{ signal: 'asked', question }] })
    const outcome = { type: 'done' as const, response: '', transcript: [], numTurns: 1, durationMs: 1 }
    process.print({ turn: { at: 'ended', promptUuids: [], background: { kind: 'task' } }, outcome })
    world.read(Infinity)
    world.commit()
    expect(world.m.s.active).not.toBeNull()
    expect(sentTo(process, 'answer')).toMatchObject([{ requestId: 'q', answer: { behavior: 'deny' } }])
  })

  it('lends the slot of its run, and its answer reclaims the slot', () => {
    const { world, process } = running()
    process.ask('Bash', false)
    world.read(Infinity)
    world.commit()
    expect(world.slot).toBe('lent')
    world.crash()
    pass(world)
    expect(world.slot).toBe('lent')
    allow(world)
    world.commit()
    expect(world.slot).toBe('held')
  })

  it('beyond maxOpenApprovals is denied', () => {
    const { world, process } = running(undefined, { approvals: { policy: 'ask' } })
    for (let at = 0; at <= limits.maxOpenApprovals; at++) {
      const question = { requestId: `q${at}`, kind: 'tool' as const, tool: 'Bash', input: {}, toolUseId: `t${at}` }
      process.print({ signals: [{ signal: 'asked', question: { ...question, inBackground: false } }] })
    }
    world.read(Infinity)
    expect(world.m.s.open).toHaveLength(limits.maxOpenApprovals)
  })
})

describe('a turn that the agent begins itself', () => {
  it('uses no slot, also after a restart', () => {
    const { world, process } = running()
    process.endTurn()
    process.own('own ')
    world.read(Infinity)
    world.commit()
    expect(world.slot).toBe('none')
    world.crash()
    pass(world)
    expect(world.slot).toBe('none')
    expect(world.m.s.background).not.toBeNull()
  })
})

describe('a change of the session', () => {
  it('that is not answered in time is refused, and nothing is stored', () => {
    const { world } = running()
    const call = world.call({ input: 'update', changes: { model: 'opus' }, by: client(1) })
    world.commit()
    later(world, limits.updateTimeoutMs)
    expect(world.answers.get(call)).toMatchObject({ effect: 'refuse', error: { kind: 'overloaded' } })
    expect(world.m.s.session.options.model).toBeUndefined()
  })

  it('restores the mode if the model is refused', () => {
    const { world, process } = running(undefined, { permissionMode: 'default' })
    const changes = { permissionMode: 'plan', model: 'no such' }
    const call = world.call({ input: 'update', changes, by: client(1) })
    for (const refuses of [false, true, false]) {
      world.commit()
      process.readLine(refuses)
      world.read(Infinity)
    }
    world.commit()
    expect(sentTo(process, 'setMode')).toMatchObject([{ mode: 'plan' }, { mode: 'default' }])
    expect(world.answers.get(call)).toMatchObject({ effect: 'refuse', error: { kind: 'invalid_params' } })
    expect(typesOf(world, null)).not.toContain('session_updated')
  })

  it('sends the stored rules again before the next prompt if the new ones are refused', () => {
    const { world, process } = running(undefined, { approvals: { rules: ['deny Web'] } })
    world.call({ input: 'update', changes: { approvals: { rules: ['deny Bash'] } }, by: client(1) })
    world.commit()
    process.readLine(true)
    world.read(Infinity)
    world.commit()
    expect(sentTo(process, 'setRules').map(each => 'rules' in each && each.rules)).toEqual([
      ['deny Web'],
      ['deny Bash'],
      ['deny Web'],
    ])
  })

  it('is stored if the process ends before it answers', () => {
    const { world, process } = running()
    const call = world.call({ input: 'update', changes: { model: 'opus' }, by: client(1) })
    world.commit()
    process.ends(1)
    world.read(Infinity)
    pass(world)
    expect(world.answers.get(call)).toMatchObject({ effect: 'answer' })
    expect(world.m.s.session.options.model).toBe('opus')
  })
})

describe('permission rules', () => {
  it('fail the run if the process refuses them, and its prompt is not sent', () => {
    const world = new World({ approvals: { rules: ['deny Web'] } })
    const run = world.enqueue()
    pass(world)
    const process = world.process!
    process.readLine()
    process.readLine(true)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'rules_refused' } })
    expect(sentTo(process, 'prompt')).toEqual([])
    expect(process.inputEnded).toBe(true)
  })

  it('are sent again after a restart, and the prompt waits for the answer', () => {
    const { world, process } = running(undefined, { approvals: { rules: ['deny Web'] } }, false)
    world.crash()
    pass(world)
    const rules = sentTo(process, 'setRules')
    expect(rules).toHaveLength(2)
    expect(world.m.v.process?.sent.has('u_1')).toBe(false)
  })
})

describe('a fault', () => {
  it('ends the run and the process, and a second one before a finished run makes the session unusable', () => {
    const { world, run, process } = running()
    world.fault()
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'internal' } })
    expect(process.exit).not.toBeNull()
    expect(world.m.s.session.fault).toBeDefined()
    world.fault()
    world.commit()
    expect(world.m.s.session.unusable).toBeDefined()
    const call = world.call({ input: 'update', changes: { title: 'x' }, by: client(1) })
    world.commit()
    expect(world.answers.get(call)).toMatchObject({ effect: 'refuse', error: { kind: 'unusable' } })
    const closing = world.call({ input: 'close', sweep: false })
    world.commit()
    expect(world.answers.get(closing)).toMatchObject({ effect: 'answer' })
  })

  it('is cleared when a run has finished', () => {
    const { world } = running()
    world.fault()
    world.enqueue()
    pass(world)
    const next = world.process!
    while (next.unread.length > 0) next.readLine()
    next.beginTurn('x')
    next.endTurn()
    world.read(Infinity)
    expect(world.m.s.session.fault).toBeUndefined()
  })
})

describe('output that could not be stored', () => {
  it('is stored after the end of its run, and no run starts before that', () => {
    const { world, run, process } = running()
    process.print({ text: 'late ' })
    world.read(Infinity)
    world.failCommit()
    const next = world.enqueue()
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'disk_full' } })
    expect(typesOf(world, next)).not.toContain('run_started')
    world.read(Infinity)
    world.input({ input: 'storage_works' })
    pass(world)
    expect(world.stored.events.some(({ body }) => body.type === 'assistant_text' && body.delta === 'late ')).toBe(true)
    expect(typesOf(world, next)).toContain('run_started')
  })
})

describe('a run that needs another process', () => {
  it('waits for background work in the current one, at most backgroundWaitMs', () => {
    const { world, process } = running()
    process.tasks(['build'])
    process.endTurn()
    world.read(Infinity)
    const next = world.enqueue({ maxTurns: 2 })
    pass(world)
    expect(world.m.v.waitingFor).toBe('background')
    expect(process.inputEnded).toBe(false)
    later(world, 400)
    pass(world)
    expect(process.inputEnded).toBe(true)
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(typesOf(world, null)).toContain('background_lost')
    expect(typesOf(world, next)).toContain('run_started')
  })
})
