import { setTimeout as delay } from 'node:timers/promises'
import type { SoakedDaemon } from './soaked-daemon.ts'
import { count, type World } from './world.ts'

/** Kills, restarts or stops the daemon at random moments, and starts it again. Only a stop ends its runs. */
export async function runWeather(world: World, daemon: SoakedDaemon): Promise<void> {
  const random = world.random.fork()
  for (;;) {
    for (const end = Date.now() + random.whole(300, 3_000); Date.now() < end; ) {
      if (world.isEnding) return
      await delay(20)
    }
    const what = random.pick<'kill' | 'restart' | 'stop'>(['kill', 'kill', 'kill', 'restart', 'restart', 'stop'])
    count(world, `${what}s of the daemon`)
    await daemon[what]()
    await delay(random.whole(0, 300))
    await daemon.start()
  }
}
