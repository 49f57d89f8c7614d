import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ago } from './format.ts'

/** The time in ms since epoch, updated each second while a component uses it. */
const now = signal(Date.now())
let watchers = 0
let timer: ReturnType<typeof setInterval> | undefined

/** Returns the current time. Renders the component again each second while it is mounted. */
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
