import type { Run } from '../../sdk/index.ts'
import { duration, usd } from './format.ts'

/** Shorter silences are not shown: Claude Code is usually thinking. */
export const silentAfterMs = 10_000

/** Says how long a run has been silent, without a conclusion. */
export const silence = (ms: number): string => `silent for ${roughly(ms)}`

/** Renders whole units, so that a repeatedly updated text does not flicker. */
function roughly(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : duration(ms - (ms % 60_000)).replace(/ 0 (s|min|h)$/, '')
}

/** Says what a queued run waits for. Empty for any other run. */
export function queuedFor({ position, waitingFor }: Pick<Run, 'position' | 'waitingFor'>): string {
  if (typeof position !== 'number') return ''
  const place = position === 0 ? 'next' : `number ${position + 1}`
  return waitingFor ? `${place} in its queue, waits for ${waits[waitingFor]}` : `${place} in its queue`
}

const waits = {
  session: 'an earlier run of its session',
  slot: 'one of the runs that are active',
  memory: 'free memory',
  background: 'the background work of its session',
}

/** Renders a run's limits. Empty if it has none. */
export function limitsOf({ limits = {} }: Pick<Run, 'limits'>): string {
  const { timeoutMs, inactivityMs, maxTurns, maxBudgetUsd } = limits
  return [
    ...(timeoutMs === undefined ? [] : [`at most ${duration(timeoutMs)}`]),
    ...(inactivityMs === undefined ? [] : [`silent for at most ${duration(inactivityMs)}`]),
    ...(maxTurns === undefined ? [] : [`at most ${maxTurns} ${maxTurns === 1 ? 'turn' : 'turns'}`]),
    ...(maxBudgetUsd === undefined ? [] : [`at most ${usd(maxBudgetUsd)}`]),
  ].join(', ')
}
