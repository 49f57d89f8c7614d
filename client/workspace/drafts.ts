import { useState } from 'preact/hooks'

const key = 'muxd.drafts'
const maxCharacters = 200_000

/** Texts that were begun and not sent, by the name of their field, the one that was written last at the end. */
type Drafts = readonly (readonly [name: string, text: string])[]

/** With this one, unless it is empty or too long to be kept. What was written long ago gives way to what is written now. */
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

/** Drafts outlive a reload of the window, not its end. */
export const readDraft = (name: string): string => read().find(([of]) => of === name)?.[1] ?? ''

export function keepDraft(name: string, text: string): void {
  sessionStorage.setItem(key, JSON.stringify(withDraft(read(), name, text)))
}

/**
 * The text of a field, kept as a draft under a name until it is forgotten: however the field goes away, its text is
 * there when the field comes back. `first` is what the field holds before anybody writes.
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
