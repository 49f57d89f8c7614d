import type { Event, Gap } from '../../sdk/index.ts'
import { terminalTypes } from '../../../protocol/wire.ts'
import { silence, silentAfterMs } from '../render/run-facts.ts'

/** Reports that a run has been silent. */
export interface Silence {
  heard(event: Event | Gap): void
  end(): void
}

/**
 * Calls `say` with the time since the last event of an active run, and repeats that every `againMs`. An open approval
 * stops the reports, because then the run waits for an answer.
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
