import { useState } from 'preact/hooks'

const key = 'muxd.drafts'
const maxCharacters = 200_000

/** Unsent texts by the name of their field; the one written last is at the end. */
type Drafts = readonly (readonly [name: string, text: string])[]

/**
 * Adds a draft and drops the oldest ones above 200,000 characters in total. An empty or longer text removes the draft.
 */
export function withDraft(drafts: Drafts, name: string, text: string): Drafts {
  const isKept = text !== '' && text.length <= maxCharacters
  const kept = [...drafts.filter(([of]) => of !== name), ...(isKept ? [[name, text] as const] : [])]
  let size = kept.reduce((sum, [, each]) => sum + each.length, 0)
  return kept.filter(([, each]) => {
    const fits = size <= maxCharacters
    if (!fits) size -= each.length
    return fits
  })
}

/** Reads a draft; empty if there is none. Drafts survive a reload of the window, but not its end. */
export const readDraft = (name: string): string => read().find(([of]) => of === name)?.[1] ?? ''

export function keepDraft(name: string, text: string): void {
  sessionStorage.setItem(key, JSON.stringify(withDraft(read(), name, text)))
}

/**
 * The text of a field, kept as a draft under `name` until `forget` is called, so that it is back when the field is
 * mounted again. `first` is the text of the field without a draft.
 */
export function useDraft(name: string, first = ''): [text: string, write: (text: string) => void, forget: () => void] {
  const [text, setText] = useState(() => readDraft(name) || first)
  return [
    text,
    next => {
      setText(next)
      keepDraft(name, next === first ? '' : next)
    },
    () => keepDraft(name, ''),
  ]
}

const read = () => JSON.parse(sessionStorage.getItem(key) ?? '[]') as Drafts
