import { setTimeout as delay } from 'node:timers/promises'
import type { SoakedDaemon } from './soaked-daemon.ts'
import { count, type World } from './world.ts'

/** Kills the daemon or stops it now and then, in the middle of everything, and starts it again. */
export async function runWeather(world: World, daemon: SoakedDaemon): Promise<void> {
  const random = world.random.fork()
  for (;;) {
    for (const end = Date.now() + random.whole(300, 3_000); Date.now() < end; ) {
      if (world.isEnding) return
      await delay(20)
    }
    if (random.chance(0.7)) {
      count(world, 'kills of the daemon')
      await daemon.kill()
    } else {
      count(world, 'stops of the daemon')
      await daemon.stop()
    }
    await delay(random.whole(0, 300))
    await daemon.start()
  }
}
