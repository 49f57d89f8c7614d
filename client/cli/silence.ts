import type { Event, Gap } from '../sdk/index.ts'
import { terminalTypes } from '../../protocol/wire.ts'
import { silence, silentAfterMs } from './render/run-facts.ts'

/** Watches over what does not come. */
export interface Silence {
  heard(event: Event | Gap): void
  end(): void
}

/**
 * Tells `say` for how long nothing has come of a run that goes on, and again from time to time. While an approval waits
 * it is not the run that is silent.
 */
export function createSilence(say: (text: string) => void, { now = Date.now, againMs = 5_000 } = {}): Silence {
  let timer: NodeJS.Timeout | undefined
  let lastAt = 0
  let going = false
  const asked = new Set<string>()

  const tell = () => {
    const silentMs = now() - lastAt
    if (silentMs >= silentAfterMs) say(silence(silentMs))
    timer = setTimeout(tell, againMs).unref()
  }

  return {
    heard(event) {
      clearTimeout(timer)
      if (event.type === 'gap') return
      lastAt = event.time
      if (event.type === 'run_started') going = true
      if ((terminalTypes as readonly string[]).includes(event.type)) going = false
      if (event.type === 'approval_requested') asked.add(event.approval)
      if (event.type === 'approval_resolved') asked.delete(event.approval)
      if (going && asked.size === 0) timer = setTimeout(tell, Math.min(againMs, silentAfterMs)).unref()
    },
    end: () => clearTimeout(timer),
  }
}
