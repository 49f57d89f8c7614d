import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import type { Mux } from '../../client/sdk/index.ts'
import { expectWholeLog, readLog } from '../support/whole-log.ts'
import { eventually } from './eventually.ts'
import { entriesIn, type Holdings, holdingsOf } from './measure.ts'
import type { SoakedDaemon } from './soaked-daemon.ts'
import { connectTo, count, type World } from './world.ts'

const settleMs = 60_000
const reasonOfStop = 'SIGTERM received'

export interface Measured extends Holdings {
  pid: number
}

/** What was measured while nothing was running. */
export interface Calm {
  daemon: Measured
  ptyHost: Measured
  /** Files kept for processes: 0 when all sessions have been deleted. */
  processFiles: number
  temporaryFiles: number
}

/**
 * Ends a round: waits until every run has ended, checks what each follower received against the logs, ends the
 * followers, deletes sessions (all of them with `deleteAll`), and measures what is left. Adds faults to the world's.
 */
export async function calmDown(
  world: World,
  daemon: SoakedDaemon,
  { deleteAll }: { deleteAll: boolean },
): Promise<Calm> {
  const mux = await connectTo(world.home, 'control')
  try {
    // A user that failed in the middle of its work leaves runs behind that nothing else would end.
    for (const { run, endedAt } of (await mux.api.run.list({ limit: 1_000 })).runs) {
      if (endedAt === null) await mux.attach(run).cancel('the round is over', { mode: 'terminate' })
    }
    await eventually('every run has ended and every process is closed', settleMs, async () => {
      const busy = await whatGoesOn(mux)
      if (busy.length > 0) throw new Error(busy.join('; '))
      return true
    })
    await checkLogs(world, mux)
    for (const followers of world.sessions.values()) {
      await Promise.all(followers.splice(0).map(follower => follower.leave()))
    }
    await eventually('nobody but us is connected', settleMs, async () => {
      const { connections, subscriptions } = await mux.api.daemon.status({})
      return connections === 1 && subscriptions === 0
    })
    for (const session of world.sessions.keys()) {
      if (!deleteAll && world.random.chance(0.5)) continue
      await mux.api.session.delete({ session })
      world.sessions.delete(session)
    }
    await eventually('no process is left over', settleMs, () => daemon.leftovers().length === 0).catch((error: Error) =>
      world.faults.push(`${error.message}: ${daemon.leftovers().join(', ')}`),
    )
    const { ptyHost } = await mux.api.daemon.status({})
    return await measured(world, daemon, ptyHost.pid!)
  } finally {
    mux.close()
  }
}

async function whatGoesOn(mux: Mux): Promise<string[]> {
  const { runs } = await mux.api.run.list({ limit: 1_000 })
  const { sessions } = await mux.api.session.list({ limit: 1_000 })
  return [
    ...runs
      .filter(({ endedAt }) => endedAt === null)
      .map(({ run, session, state, prompt }) => `${run} of ${session} is ${state}: ${prompt}`),
    ...sessions
      .filter(({ process }) => process !== null)
      .map(({ session, state, lastRun }) => `${session} (${state}) has a process, its last run is ${lastRun}`),
  ]
}

async function checkLogs(world: World, mux: Mux): Promise<void> {
  for (const [session, followers] of world.sessions) {
    try {
      const log = await readLog(params => mux.api.topic.read(params), session)
      expectWholeLog(log)
      expectNoneLost(log)
      count(world, 'events', log.length)
      for (const follower of followers) {
        await eventually(
          `a follower of ${session} has its ${log.length} events`,
          settleMs,
          () => follower.place === log.length,
        )
        follower.check(log)
        count(world, 'sequences checked')
      }
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error }
      world.faults.push(`${session}: ${message}${cause ? ` (${cause.message})` : ''}`)
    }
  }
}

/**
 * Throws when a run that no client cancelled was interrupted by anything but a stop of the daemon. Kills and restarts
 * must not end runs.
 */
function expectNoneLost(log: readonly { type: string; reason?: unknown }[]): void {
  const end = log.find(({ type, reason }) => type === 'interrupted' && reason !== reasonOfStop)
  if (end) throw new Error(`a run was lost: ${JSON.stringify(end).slice(0, 500)}`)
}

async function measured({ faults }: World, { pid, home, temporary }: SoakedDaemon, ptyHost: number): Promise<Calm> {
  const processes = join(home, 'processes')
  const passing = () => entriesIn(processes).filter(name => /\.(in|pid|tmp)$/.test(name))
  // The record of a process's end comes a moment before the pty-host removes its files.
  await eventually('no file of a held process is left', settleMs, () => passing().length === 0).catch(() =>
    faults.push(`left in ${processes}: ${passing().join(', ')}`),
  )
  return {
    daemon: await leastOf(pid),
    ptyHost: await leastOf(ptyHost),
    processFiles: entriesIn(processes).length,
    temporaryFiles: entriesIn(temporary).length,
  }
}

/** Returns the least of several samples, so that resources that are freed a moment later do not count. */
async function leastOf(pid: number): Promise<Measured> {
  const least = { ...holdingsOf(pid)! }
  for (let time = 0; time < 5; time++) {
    await delay(100)
    const now = holdingsOf(pid)!
    for (const name of Object.keys(least) as (keyof Holdings)[]) least[name] = Math.min(least[name], now[name])
  }
  return { pid, ...least }
}
