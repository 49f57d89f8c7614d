import { nameOf } from '../model/labels.ts'
import type { PromptItem } from '../model/items.ts'
import { Folded } from './folded.tsx'

/** A prompt with its author and time. */
export function Prompt({ item }: { item: PromptItem; version: number }) {
  const { text, origin, time, lane } = item
  const who = origin ? nameOf(origin) : 'Claude, to its agent'
  return (
    <article class={lane === undefined ? 'prompt' : 'prompt inner'} aria-label={`Prompt by ${who}`}>
      <header>
        <span class="who">{who}</span>
        <time class="dim" dateTime={new Date(time).toISOString()} title={new Date(time).toLocaleString()}>
          {clock(time)}
        </time>
      </header>
      {text.trim() ? (
        <Folded of={`${item.key}#text`} text={text} lines={lane === undefined ? 14 : 4} class="prompt-text" />
      ) : (
        <p class="dim">Something in the background has ended, and Claude goes on by itself</p>
      )}
    </article>
  )
}

const clock = (time: number) => new Date(time).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
