/** Steps through earlier prompts, from the newest one back. Keeps the draft, which follows the newest prompt. */
export interface History {
  /** Returns the prompt before (`older`) or after the one shown; undefined if there is none. */
  step(older: boolean, shown: string): string | undefined
  /**
   * To call when the shown prompt was sent. Returns the draft from before the step to an earlier prompt, and resets.
   */
  sent(): string
}

export function createHistory(prompts: () => readonly string[]): History {
  // Number of steps back; 0 is the draft.
  let back = 0
  let draft = ''
  return {
    step(older, shown) {
      const all = distinct(prompts())
      const next = back + (older ? 1 : -1)
      if (next < 0 || next > all.length) return undefined
      if (back === 0) draft = shown
      back = next
      return back === 0 ? draft : all[all.length - back]
    },
    sent() {
      const left = back === 0 ? '' : draft
      back = 0
      draft = ''
      return left
    },
  }
}

/** Merges equal consecutive prompts. */
const distinct = (prompts: readonly string[]) => prompts.filter((prompt, index) => prompt !== prompts[index - 1])
