import { setTimeout as delay } from 'node:timers/promises'
import type { Mux, Run } from '../../client/sdk/index.ts'
import { startFollower } from './follower.ts'
import type { Random } from '../support/random.ts'
import { connectTo, count, isExpected, type World } from './world.ts'

/**
 * A user that starts, queues, watches, cancels, closes and deletes until the round ends and all its runs have ended.
 */
export async function runUser(world: World): Promise<void> {
  const random = world.random.fork()
  const mux = await connectTo(world.home, 'user')
  try {
    while (!world.isEnding) {
      const deed = random.pick(deeds)
      world.doing.set(mux, deed.name)
      try {
        await deed(world, mux, random)
      } catch (error) {
        if (!isExpected(error)) world.faults.push(`a user: ${(error as Error).stack ?? String(error)}`)
        await delay(50)
      }
    }
  } finally {
    world.doing.delete(mux)
    mux.close()
  }
}

type Deed = (world: World, mux: Mux, random: Random) => Promise<void>

const mostSessions = 12

/** Each deed is as likely as it is frequent in this list. */
const deeds: [Deed, ...Deed[]] = [run, run, run, run, queue, queue, repeat, close, remove, look]

async function run(world: World, mux: Mux, random: Random): Promise<void> {
  const started = await start(world, mux, random)
  if (random.chance(0.3)) {
    await delay(random.whole(0, 600))
    count(world, 'cancels')
    await mux
      .attach(started.run)
      .cancel('a whim', { mode: random.pick(['interrupt', 'interrupt', 'terminate', 'kill']) })
  }
  await ended(world, mux, started)
}

/** Several prompts to one session. The last one may be cancelled while it waits. */
async function queue(world: World, mux: Mux, random: Random): Promise<void> {
  const first = await start(world, mux, random)
  const others: Run[] = []
  for (let more = random.whole(1, 3); more > 0; more--) others.push(await prompt(world, mux, first.session, random))
  if (random.chance(0.5)) await mux.attach(others.at(-1)!.run).cancel()
  for (const each of [first, ...others]) await ended(world, mux, each)
}

/** The same request twice, as after a lost answer. Both must return the same run. */
async function repeat(world: World, mux: Mux, random: Random): Promise<void> {
  const { session } = await start(world, mux, random)
  const again = { session, prompt: random.pick(prompts), key: `key-${random.next()}` }
  const answers = await Promise.all([mux.api.run.start(again), mux.api.run.start(again)])
  count(world, 'runs')
  const ids = new Set(answers.map(answer => answer.run))
  if (ids.size !== 1) world.faults.push(`one key started ${[...ids].join(' and ')}`)
  await ended(world, mux, answers[0])
}

async function close(world: World, mux: Mux, random: Random): Promise<void> {
  const session = anyOf(world, random)
  if (session === undefined) return
  count(world, 'closed sessions')
  await mux.api.session.close({ session, force: true })
}

async function remove(world: World, mux: Mux, random: Random): Promise<void> {
  if (world.sessions.size < mostSessions / 2) return
  const session = anyOf(world, random)!
  const followers = world.sessions.get(session)!
  // Forget the session before it is deleted, so that nothing looks for its log in between.
  world.sessions.delete(session)
  count(world, 'deleted sessions')
  await mux.api.session.delete({ session, force: true })
  world.doing.set(mux, `leaving the deleted ${session}`)
  for (const follower of followers) await follower.leave()
}

/** The calls that a UI makes now and then. */
async function look(_world: World, mux: Mux, random: Random): Promise<void> {
  await Promise.all([mux.api.daemon.status({}), mux.api.session.list({}), mux.api.run.list({ limit: 50 })])
  await mux.api.daemon.gc({ dryRun: random.chance(0.5) })
  const stop = AbortSignal.timeout(random.whole(10, 300))
  try {
    for await (const _event of mux.subscribe('sessions', { since: 'start', signal: stop })) continue
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

async function start(world: World, mux: Mux, random: Random): Promise<Run> {
  let session = random.chance(0.6) ? anyOf(world, random) : undefined
  if (session === undefined && world.sessions.size >= mostSessions) session = anyOf(world, random)
  if (session === undefined) {
    session = (await mux.api.session.create({ cwd: world.cwd, key: `key-${random.next()}` })).session
    world.sessions.set(session, [])
    count(world, 'sessions')
  }
  const started = await prompt(world, mux, session, random)
  const followers = world.sessions.get(session)
  if (followers && followers.length < 3 && random.chance(0.6)) {
    followers.push(startFollower(world, session, random.chance(0.5) ? 0 : random.whole(0, started.firstSeq)))
    count(world, 'followers')
  }
  return started
}

async function prompt(world: World, mux: Mux, session: string, random: Random): Promise<Run> {
  count(world, 'runs')
  world.doing.set(mux, `starting a run in ${session}`)
  return mux.api.run.start({ session, prompt: random.pick(prompts), key: `key-${random.next()}` })
}

const anyOf = ({ sessions }: World, random: Random): string | undefined =>
  sessions.size === 0 ? undefined : [...sessions.keys()][random.whole(0, sessions.size - 1)]

const patienceMs = 1_500
const endMs = 60_000

/** Waits for the end of a run. Cancels a run that takes too long, with mode `terminate`. */
async function ended(world: World, mux: Mux, { run: id, session }: Run): Promise<void> {
  const handle = mux.attach(id)
  world.doing.set(mux, `waiting for ${id} of ${session}`)
  let record = await handle.wait({ timeoutMs: patienceMs })
  if (record.endedAt === null) {
    await handle.cancel('it takes too long', { mode: 'terminate' })
    record = await handle.wait({ timeoutMs: endMs })
  }
  if (record.endedAt === null) throw new Error(`${id} of ${session} is ${record.state}, ${endMs} ms after its cancel`)
  count(world, `runs ${record.state}`)
}

const prompts: [string, ...string[]] = [
  'hello',
  'sim:text delayMs=20 short',
  'sim:thinking',
  'sim:long words=300 delayMs=10',
  'sim:tools takesMs=200',
  'sim:parallel tools=4 takesMs=300',
  'sim:subagent agents=2 takesMs=300',
  'sim:background takesMs=1000',
  'sim:flood frames=400 size=200',
  'sim:flood frames=100 size=20000',
  'sim:spam megabytes=1',
  'sim:slow words=50 delayMs=400',
  'sim:fail kind=overloaded retries=1',
  'sim:retry',
  'sim:midstream',
  'sim:clear',
  'sim:crash',
  'sim:crash signal=SIGKILL',
  'sim:silent code=1',
  'sim:hang at=text',
  'sim:hang at=start ignore=interrupt,int',
  'sim:hang at=tool ignore=interrupt,int,term',
]
