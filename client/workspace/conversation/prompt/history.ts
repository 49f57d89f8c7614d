/** Earlier prompts, gone through from the newest; what was being written waits behind them. */
export interface History {
  /** The prompt before (`older`) or after the one that is shown; undefined where there is none. */
  step(older: boolean, shown: string): string | undefined
  /** What is shown was sent: gives what was being written before an earlier prompt was looked up, and begins anew. */
  sent(): string
}

export function createHistory(prompts: () => readonly string[]): History {
  // How far back; 0 is what is being written.
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

/** The same prompt several times in a row counts once. */
const distinct = (prompts: readonly string[]) => prompts.filter((prompt, index) => prompt !== prompts[index - 1])
