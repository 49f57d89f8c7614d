const key = 'muxd.drafts'
const maxCharacters = 200_000

/** Prompts that were begun, by session, the one that was written last at the end. */
type Drafts = readonly (readonly [session: string, text: string])[]

/** With this one, unless it is empty or too long to be kept. What was written long ago gives way to what is written now. */
export function withDraft(drafts: Drafts, session: string, text: string): Drafts {
  const isKept = text !== '' && text.length <= maxCharacters
  const kept = [...drafts.filter(([of]) => of !== session), ...(isKept ? [[session, text] as const] : [])]
  let size = kept.reduce((sum, [, each]) => sum + each.length, 0)
  return kept.filter(([, each]) => {
    const fits = size <= maxCharacters
    if (!fits) size -= each.length
    return fits
  })
}

/** Drafts outlive a reload of the window, not its end. */
export const readDraft = (session: string): string => read().find(([of]) => of === session)?.[1] ?? ''

export function keepDraft(session: string, text: string): void {
  sessionStorage.setItem(key, JSON.stringify(withDraft(read(), session, text)))
}

const read = () => JSON.parse(sessionStorage.getItem(key) ?? '[]') as Drafts
