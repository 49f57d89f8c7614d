import { duration } from '../parts/format.ts'
import { Icon } from '../parts/icons.tsx'
import { useNow } from '../parts/time.tsx'

/** The time left to answer; `until` is in ms since epoch. */
export function TimeLeft({ until }: { until: number }) {
  const left = until - useNow()
  return (
    <span class="chip warn numeric">
      <Icon name="warning" />
      {left > 0 ? `${duration(left)} left` : 'expired'}
    </span>
  )
}
