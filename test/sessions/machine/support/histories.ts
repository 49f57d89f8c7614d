import * as fc from 'fast-check'
import type { RunLimits, Session, SessionChanges } from '../../../../protocol/index.ts'
import { client, diskFull, type World } from './world.ts'

/** One step of a history. `a` and `b` choose among its variants. */
export interface Operation {
  kind: string
  a: number
  b: number
}

export const weights: Record<string, number> = {
  enqueue: 10,
  move: 2,
  cancel: 5,
  answer: 5,
  update: 3,
  close: 1,
  use: 1,
  endIdle: 1,
  process: 24,
  read: 18,
  commit: 6,
  settle: 7,
  land: 10,
  time: 7,
  crash: 6,
  failCommit: 2,
  storageWorks: 2,
  fault: 1,
  stalled: 1,
  stubborn: 1,
  processEnds: 2,
  failStart: 1,
  presence: 1,
  slept: 1,
  slotWaits: 1,
}

export const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(...Object.entries(weights).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  a: fc.nat(7),
  b: fc.nat(8),
})

/** The record fields with which the sessions of histories begin. */
export const fields: Partial<Session>[] = [
  {},
  { approvals: { expiresAfterMs: 250 } },
  { approvals: { policy: 'ask', rules: ['deny Web'] } },
  { permissionMode: 'default', approvals: { policy: 'deny' } },
]

const limitsOfRuns: (RunLimits | undefined)[] = [
  { timeoutMs: 300 },
  { inactivityMs: 150 },
  { maxTurns: 2 },
  { maxBudgetUsd: 1 },
  { timeoutMs: 300, inactivityMs: 150, maxTurns: 2 },
]

const changes: SessionChanges[] = [
  { title: 'other' },
  { model: 'opus' },
  { permissionMode: 'plan' },
  { permissionMode: 'plan', model: 'haiku' },
  { approvals: { policy: 'ask', rules: ['deny Web'] } },
  { approvals: { policy: 'deny' } },
  { approvals: {}, model: 'opus', permissionMode: 'default' },
  { conversationId: null },
  {},
]

export function play(world: World, { kind, a, b }: Operation): void {
  const { m } = world
  const run = `r_${(a % Math.max(1, world.runs)) + 1}`
  switch (kind) {
    case 'enqueue':
      return void world.enqueue(limitsOfRuns[b])
    case 'move':
      return void world.call({ input: 'move', run, to: b, by: client(b) })
    case 'cancel': {
      const mode = (['interrupt', 'terminate', 'kill'] as const)[b % 3]!
      const which = a === 7 ? (m.s.background?.stored.run.run ?? run) : run
      return void world.call({ input: 'cancel', run: which, mode, ...(a % 2 && { reason: 'r' }), by: client(b) })
    }
    case 'answer':
      return answer(world, a, b)
    case 'update':
      return world.update(changes[b]!)
    case 'close':
      return void world.call({ input: 'close', sweep: b % 2 === 0 })
    case 'use':
      return void world.call({ input: 'use' })
    case 'endIdle':
      return void world.call({ input: 'end_idle' })
    case 'process':
      return processStep(world, a, b)
    case 'read':
      return world.read(a + 1)
    case 'commit':
      return world.commit(b === 0)
    case 'settle':
      for (let round = 0; round < 4; round++) {
        world.commit()
        world.landAll()
      }
      for (let line = 0; line < a; line++) world.process?.readLine()
      return world.process?.beginTurn('settled ')
    case 'land':
      return world.land(a)
    case 'time':
      world.now += a * 40
      return world.tick()
    case 'crash':
      return world.crash({ startArrives: b % 2 === 0, isDamaged: a === 0 })
    case 'failCommit':
      return world.failCommit()
    case 'storageWorks':
      return world.retryStorage()
    case 'fault':
      return world.fault(b === 0)
    case 'stalled':
      if (m.s.process) world.input({ input: 'stalled', process: m.s.process.id, failure: diskFull })
      return
    case 'stubborn':
      if (world.process) world.process.stubborn = true
      return
    case 'processEnds':
      return world.process?.ends(a === 0 ? null : b)
    case 'failStart':
      world.failStarts = 1
      return
    case 'presence':
      return void world.input({ input: 'presence', emptySince: b % 2 ? undefined : world.now })
    case 'slept':
      world.now += 50
      return void world.input({ input: 'slept', from: world.now - 50, to: world.now })
    case 'slotWaits':
      return void world.input({ input: 'slot_waits', what: b % 2 ? 'slot' : 'memory' })
    default:
      throw new Error(`unknown operation ${kind}`)
  }
}

function answer(world: World, a: number, b: number): void {
  const { open } = world.m.s
  const approval = open[a % Math.max(1, open.length)]?.approval.approval ?? 'a_unknown'
  const by = client(b)
  const allow = { decision: 'allow', by, answer: { behavior: 'allow' } } as const
  const interrupt = b % 4 === 1 ? { interrupt: true as const } : {}
  const deny = {
    decision: 'deny',
    by,
    message: 'no',
    answer: { behavior: 'deny', message: 'no', ...interrupt },
  } as const
  world.call({ input: 'answer', approval, resolution: b % 2 ? deny : allow, by })
}

/** Makes the process act up to four times. */
function processStep(world: World, a: number, b: number): void {
  for (let count = 0; count <= a % 4; count++) {
    const { process } = world
    if (!process || process.exit) return
    processAct(world, (b * 3 + count * 5 + a) % 17)
  }
}

function processAct(world: World, kind: number): void {
  const process = world.process!
  const words = `t${process.raw.length} `
  switch (kind) {
    case 0:
    case 1:
      return process.readLine()
    case 2:
      return process.readLine(true)
    case 3:
    case 4:
      return process.beginTurn(words)
    case 5:
      return process.print({ text: words })
    case 6:
    case 7: {
      const end = process.endTurn()
      if (end) world.outcomes.set(end.prompt.replace('u_', 'r_'), end.isGood)
      return
    }
    case 8:
      return process.ask(process.raw.length % 3 === 0 ? 'Web' : 'Bash', false)
    case 9:
      return process.ask('Bash', true)
    case 10:
      return process.takeBack(1)
    case 11:
      return process.own(words)
    case 12:
      return process.requests()
    case 13:
      return process.tasks(process.raw.length % 2 ? ['task'] : [])
    case 14:
      if (process.signalled && !process.stubborn) process.ends(143)
      return
    case 15:
      if (process.inputEnded && !process.turn && !process.stubborn) process.ends(0)
      return
    default:
      // A second result of the same prompt, or of one that is not this session's.
      return process.print({
        turn: { at: 'ended', promptUuids: [process.lastPrompt ?? 'u_none'], background: null },
        outcome: { type: 'done', response: '', transcript: [], numTurns: 1, durationMs: 1 },
      })
  }
}

/**
 * Kills the daemon, and runs the next one until the session is at rest: the process obeys, effects arrive, time passes.
 */
export function drain(world: World): void {
  world.commit()
  world.crash()
  world.failStarts = 0
  for (let round = 0; round < 600 && !world.isAtRest; round++) {
    settle(world)
    if (world.isAtRest) break
    obey(world, round)
    world.read(Infinity)
    world.retryStorage()
    world.now += 60
    if (round % 20 === 19) world.now += 31_000
    world.tick()
  }
  settle(world)
}

/** Stops the daemon. Throws if the session does not stop. */
export function stopDaemon(world: World): void {
  world.commit()
  world.input({ input: 'shutdown', reason: 'the daemon stops' })
  for (let round = 0; round < 40 && !world.isStopped; round++) {
    settle(world)
    const { process } = world
    if (process && !process.stubborn && (process.signalled || process.inputEnded)) process.ends(0)
    world.read(Infinity)
    world.retryStorage()
    world.now += 110
    world.tick()
  }
  world.commit()
  if (!world.isStopped) throw new Error('the session does not stop')
}

/** Carries out all effects, and takes their answers, until no effect is left. */
function settle(world: World): void {
  world.commit()
  for (let round = 0; world.flights.length > 0; round++) {
    if (round > 100) throw new Error('effects and their answers go on for ever')
    world.landAll()
    world.commit()
  }
}

function obey(world: World, round: number): void {
  const { process } = world
  if (!process || process.exit) return
  // A process that obeys nothing is killed in the end.
  if (process.stubborn) return process.ends(137)
  process.readLine()
  if (process.signalled) return process.ends(143)
  if (process.ownTurn) return process.own('end ')
  process.beginTurn('drained ')
  for (const { approval } of world.m.s.open) {
    const resolution = { decision: 'allow', by: client(0), answer: { behavior: 'allow' } } as const
    world.call({ input: 'answer', approval: approval.approval, resolution, by: client(0) })
  }
  const end = process.endTurn()
  if (end) world.outcomes.set(end.prompt.replace('u_', 'r_'), end.isGood)
  if (round % 7 === 6) process.tasks([])
  if (process.inputEnded && !process.turn) process.ends(0)
}
