import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ago } from './format.ts'

/** Now, in steps: whoever shows a duration looks at it. */
const now = signal(Date.now())
let watchers = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The time of now, which renders anew each second for as long as the component is there. */
export function useNow(): number {
  useEffect(() => {
    watchers++
    timer ??= setInterval(() => (now.value = Date.now()), 1_000)
    return () => {
      if (--watchers > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return now.value
}

/** `just now`, `4 min ago`; beyond a day the date. */
export function Ago({ at }: { at: number }) {
  const text = ago(at, useNow())
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {text}
    </time>
  )
}
