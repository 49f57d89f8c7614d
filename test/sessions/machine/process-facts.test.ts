import { describe, expect, it } from 'vitest'
import { allow, cancel, lastOf, later, pass, running, sentTo, typesOf } from './support/running.ts'
import { client, config, diskFull, World } from './support/world.ts'

describe('a run that is queued while the process closes', () => {
  it('starts in a new process when the old one is gone', () => {
    const { world, process } = running()
    process.endTurn()
    world.read(Infinity)
    later(world, config.idleCloseMs)
    expect(process.inputEnded).toBe(true)
    const next = world.enqueue()
    pass(world)
    expect(world.slot).toBe('held')
    expect(typesOf(world, next)).toEqual(['run_queued'])
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(typesOf(world, next)).toContain('run_started')
    expect([...world.process!.got.keys()]).toContain('u_2')
    expect(sentTo(process, 'prompt')).toHaveLength(1)
  })

  it('starts only after the children of a signalled process have ended too', () => {
    const { world, run, process } = running()
    cancel(world, run, 'terminate')
    const next = world.enqueue()
    pass(world)
    process.ends(143)
    world.read(Infinity)
    world.commit()
    expect(world.m.v.process?.phase).toBe('clearing')
    expect(typesOf(world, run)).not.toContain('cancelled')
    expect(typesOf(world, next)).toEqual(['run_queued'])
    pass(world)
    expect(typesOf(world, run)).toContain('cancelled')
    expect(typesOf(world, next)).toContain('run_started')
  })

  it('and has already started goes to the next process if this one never read its prompt', () => {
    const { world, process } = running()
    process.endTurn()
    world.read(Infinity)
    const next = world.enqueue()
    pass(world)
    process.inputEnded = true
    world.crash()
    pass(world)
    expect(world.m.v.process).toMatchObject({ closing: true, ending: { step: 'input_ended' } })
    expect(sentTo(process, 'prompt')).toHaveLength(2)
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(world.process!.id).not.toBe(process.id)
    expect([...world.process!.got.keys()]).toContain('u_2')
    expect(typesOf(world, next).filter(type => type === 'run_started')).toHaveLength(1)
  })
})

describe('a fact about an unknown process', () => {
  it('that has started discards the process and releases its conversation', () => {
    const { world, run } = running()
    const { effects, acts } = world.input({ input: 'started', process: 'p_other', pid: 7, startedAt: 1 })
    expect(acts).toEqual([])
    expect(effects).toEqual([
      { effect: 'discard', process: 'p_other' },
      { effect: 'release_conversation', process: 'p_other' },
      { effect: 'process_gone' },
    ])
    expect(world.m.s.active?.stored.run.run).toBe(run)
    expect(world.m.v.process).toMatchObject({ pid: 1, phase: 'live' })
  })

  it('that is prepared or failed to start only releases its conversation', () => {
    const { world } = running()
    const launch = { claudeSessionId: null, costUsd: 0, counterUsd: 0, resumed: false }
    const release = [{ effect: 'release_conversation', process: 'p_other' }]
    const failed = world.input({ input: 'start_failed', process: 'p_other', failure: diskFull })
    expect(failed.effects).toEqual(release)
    const prepared = { process: 'p_other', nonce: 'n', launch, conversation: 'c', oneShot: false }
    expect(world.input({ input: 'prepared', ...prepared }).effects).toEqual(release)
    expect(world.m.s.active).not.toBeNull()
  })

  it('that has ended, stalled or caught up is ignored', () => {
    const { world } = running()
    const about = { process: 'p_other' }
    const facts = [
      { input: 'exited', ...about, status: 1, stderrTail: '', lost: false },
      { input: 'stalled', ...about, failure: diskFull },
      { input: 'caught_up', ...about },
      { input: 'output', ...about, lines: [{ frame: { text: 'x' }, offset: 5, time: 1 }], offset: 5 },
    ] as const
    for (const fact of facts) expect(world.input(fact)).toMatchObject({ acts: [], effects: [], events: [] })
  })
})

describe('a session that could not store the end of its run either', () => {
  const failing = () => {
    const made = running()
    made.process.print({ text: 'late ' })
    made.world.read(Infinity)
    made.world.failCommit()
    made.world.failCommit()
    return made
  }
  const texts = (world: World) =>
    world.stored.events.flatMap(({ body }) => (body.type === 'assistant_text' ? [body.delta] : []))

  it('takes calls when the storage is retried, and a cancel does not end an arrived prompt as unsent', () => {
    const { world, run, process } = failing()
    const call = cancel(world, run)
    pass(world)
    expect(world.answers.get(call)).toBeUndefined()
    expect(typesOf(world, run)).not.toContain('cancelled')
    world.retryStorage()
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'failed', failure: { code: 'disk_full' } })
    expect(world.answers.get(call)).toMatchObject({ effect: 'answer' })
    expect(process.exit).toEqual({ status: 137, lost: false })
  })

  it.each([
    ['after', false],
    ['before', true],
  ])('reads its output again once if the process ends %s the retry', (_when, endsBefore) => {
    const { world, run, process } = failing()
    if (endsBefore) {
      process.ends(1)
      world.read(Infinity)
    }
    world.retryStorage()
    world.commit()
    expect(typesOf(world, run).at(-1)).toBe('failed')
    expect(world.m.v.process?.phase).toBe('behind')
    world.read(Infinity)
    world.commit()
    expect([...world.locked]).toEqual([])
    world.retryStorage()
    pass(world)
    expect(texts(world)).toEqual(['hello ', 'late '])
    expect(world.m.s.process).toBeNull()
    expect(world.m.v.process).toBeNull()
    const next = world.enqueue()
    pass(world)
    expect(typesOf(world, next)).toContain('run_started')
  })

  it('takes no output until the output before it is read again, because of the gap', () => {
    const { world, process } = failing()
    world.retryStorage()
    world.commit()
    expect(world.m.v.process?.phase).toBe('behind')
    const output = { input: 'output', process: process.id, lines: process.raw.slice(-1), offset: process.end } as const
    expect(world.input(output)).toMatchObject({ acts: [], events: [], effects: [] })
    expect(texts(world)).toEqual(['hello '])
  })

  it('gives up again if the retry is not stored either, and keeps the order of its events', () => {
    const { world, run } = failing()
    for (let second = 0; second < 3; second++) {
      world.retryStorage()
      world.failCommit()
    }
    expect(typesOf(world, run)).not.toContain('failed')
    world.retryStorage()
    world.commit()
    expect(typesOf(world, run).filter(type => type === 'failed')).toHaveLength(1)
  })
})

describe('a one-shot process', () => {
  const held = () => {
    const world = new World({}, true)
    const run = world.enqueue()
    pass(world)
    const process = world.process!
    while (process.unread.length > 0) process.readLine()
    process.beginTurn('first ')
    process.endTurn()
    world.read(Infinity)
    pass(world)
    return { world, run, process }
  }

  it('has its input closed at the result, and its run ends with the process', () => {
    const { world, run, process } = held()
    expect(process.inputEnded).toBe(true)
    expect(typesOf(world, run)).not.toContain('done')
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'done', response: 'first ' })
    expect(lastOf(world, run)).not.toHaveProperty('forcedExit')
  })

  it('that prints a second result while the first is held causes a notice, and both costs count', () => {
    const { world, run, process } = held()
    process.print({
      turn: { at: 'ended', promptUuids: [process.lastPrompt!], background: null },
      events: [
        { type: 'cost', costUsd: 3, runCostUsd: 2, tokens: { input: 1, output: 1, cacheCreation: 0, cacheRead: 0 } },
      ],
      outcome: { type: 'done', response: '', transcript: [], numTurns: 1, durationMs: 1 },
    })
    world.read(Infinity)
    world.commit()
    expect(typesOf(world, run).at(-1)).toBe('notice')
    expect(typesOf(world, run)).not.toContain('done')
    process.ends(0)
    world.read(Infinity)
    pass(world)
    expect(typesOf(world, run).filter(type => type === 'done')).toHaveLength(1)
    expect(lastOf(world, run)).toMatchObject({ response: 'first ' })
    expect(world.storedRun(run)?.run.result).toMatchObject({ costUsd: 2.5, tokens: { input: 2, output: 2 } })
  })

  it('that does not end by itself is ended by force, and its run has forcedExit', () => {
    const { world, run, process } = held()
    later(world, config.resultGraceMs - 1)
    expect(process.signalled).toBe(false)
    later(world, 1)
    expect(process.signalled).toBe(true)
    process.ends(143)
    world.read(Infinity)
    pass(world)
    expect(lastOf(world, run)).toMatchObject({ type: 'done', forcedExit: true })
  })

  it('ends its run at the result if background work continues', () => {
    const world = new World({}, true)
    const run = world.enqueue()
    pass(world)
    const process = world.process!
    while (process.unread.length > 0) process.readLine()
    process.beginTurn('first ')
    process.tasks(['build'])
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run).type).toBe('done')
    expect(process.inputEnded).toBe(false)
  })
})

describe('a deny with interrupt', () => {
  const asking = () => {
    const made = running()
    made.process.ask('Bash', false)
    made.world.read(Infinity)
    return { ...made, approval: made.world.m.s.open[0]!.approval.approval }
  }
  const deny = (world: World, approval: string, by = client(4)) => {
    const answer = { behavior: 'deny', message: 'no', interrupt: true } as const
    return world.call({
      input: 'answer',
      approval,
      resolution: { decision: 'deny', by, message: 'no', answer },
      by,
    })
  }

  it('is sent to the process before the interrupt', () => {
    const { world, process, approval } = asking()
    const call = deny(world, approval)
    world.commit()
    const order = [...process.got.values()].map(({ command }) => command)
    expect(order).toEqual(['first', 'prompt', 'answer', 'interrupt'])
    expect(world.m.s.active?.stored.run.state).toBe('cancelling')
    expect(world.answers.get(call)).toMatchObject({ effect: 'answer', result: { approval: { decision: 'deny' } } })
  })

  it('cancels the run in the name of its client at the first result', () => {
    const { world, run, process, approval } = asking()
    deny(world, approval)
    world.commit()
    while (process.unread.length > 0) process.readLine()
    process.interrupted = true
    process.endTurn()
    world.read(Infinity)
    world.commit()
    expect(lastOf(world, run)).toMatchObject({ type: 'cancelled', by: client(4), reason: 'no', ended: 'turn' })
  })

  it('of a question without a run cancels nothing', () => {
    const { world, run, process } = running()
    process.ask('Bash', true)
    world.read(Infinity)
    deny(world, world.m.s.open[0]!.approval.approval)
    world.commit()
    expect(world.m.s.active?.stored.run.state).toBe('running')
    expect(typesOf(world, run)).not.toContain('cancel_requested')
  })

  it('of a question that is not open is answered without an approval', () => {
    const { world, run, approval } = asking()
    allow(world)
    const call = deny(world, approval)
    world.commit()
    expect(world.answers.get(call)).toMatchObject({ effect: 'answer', result: { approval: null } })
    expect(typesOf(world, run)).not.toContain('cancel_requested')
  })
})
