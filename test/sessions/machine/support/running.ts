import type { RunLimits } from '../../../../protocol/index.ts'
import type { ScriptedProcess } from './scripted-process.ts'
import { client, World } from './world.ts'

/** Steps that directed cases have in common. */

export const pass = (world: World) => {
  for (let round = 0; round < 6; round++) {
    world.commit()
    world.landAll()
  }
}

/** Returns a session whose process has begun the turn of a run; without `reads`, the prompt is sent and not read. */
export function running(runLimits?: RunLimits, fields: ConstructorParameters<typeof World>[0] = {}, reads = true) {
  const world = new World(fields)
  const run = world.enqueue(runLimits)
  pass(world)
  const process = world.process!
  while (process.unread.length > 0) process.readLine()
  world.read(Infinity)
  pass(world)
  while (reads && process.unread.length > 0) process.readLine()
  if (reads) process.beginTurn('hello ')
  world.read(Infinity)
  world.commit()
  return { world, run, process }
}

export const typesOf = (world: World, run: string | null) =>
  world.stored.events.filter(event => event.run === run).map(({ body }) => body.type)
export const lastOf = (world: World, run: string) => world.stored.events.findLast(event => event.run === run)!.body
export const sentTo = (process: ScriptedProcess, command: string) =>
  [...process.got.values()].filter(each => each.command === command)
export const cancel = (world: World, run: string, mode: 'interrupt' | 'terminate' | 'kill' = 'interrupt') =>
  world.call({ input: 'cancel', run, mode, by: client(1) })
export const later = (world: World, ms: number) => {
  world.now += ms
  world.tick()
  world.commit()
}
export const allow = (world: World, at = 0) => {
  const { approval } = world.m.s.open[at]!.approval
  const resolution = { decision: 'allow', by: client(1), answer: { behavior: 'allow' } } as const
  return world.call({ input: 'answer', approval, resolution, by: client(1) })
}
