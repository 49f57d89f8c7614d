import type { Chord } from '../../context/keys.ts'

/** Something that can be done from the palette or by its keys. */
export interface Command {
  id: string
  group: string
  title: string
  /** Shown beside its title. The search looks at it too. */
  hint?: string
  /** More words that the search looks at. */
  words?: string
  /**
   * It takes effect at once and cannot be undone. The palette offers it only for its complete first word, and never
   * first.
   */
  isFinal?: boolean
  keys?: Chord
  run(): void
}
