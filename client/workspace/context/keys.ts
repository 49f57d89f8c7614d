/** A key with what is held: `Mod` is Ctrl, on a Mac Command. The key is a `KeyboardEvent.code`, which no layout or Alt changes, or a character. */
export type Chord = string

export interface KeyPress {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

export const isMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform)

/** Whether it is that chord which was pressed. */
export function isChord(press: KeyPress, chord: Chord, mac: boolean): boolean {
  const parts = chord.split('+')
  const key = parts.pop()!
  const held = new Set(parts)
  const mod = mac ? press.metaKey : press.ctrlKey
  const otherMod = mac ? press.ctrlKey : press.metaKey
  if (held.has('Mod') !== mod || otherMod || held.has('Alt') !== press.altKey) return false
  // A character such as `?` needs Shift on some keyboards and on others not.
  if (key.length === 1) return press.key === key
  return press.code === key && held.has('Shift') === press.shiftKey
}

/** Whether a key was pressed by itself: once, with nothing held, and not while a character is composed. */
export const isBare = (press: Omit<KeyPress, 'key' | 'code'> & { repeat: boolean; isComposing: boolean }): boolean =>
  !press.ctrlKey && !press.metaKey && !press.altKey && !press.shiftKey && !press.repeat && !press.isComposing

const names: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  BracketLeft: '[',
  BracketRight: ']',
  Backslash: '\\',
  Minus: '-',
  Comma: ',',
  Period: '.',
}

/** How it is written for people. */
export function chordText(chord: Chord, mac: boolean): string {
  return chord
    .split('+')
    .map(part => {
      if (part === 'Mod') return mac ? '⌘' : 'Ctrl'
      if (part === 'Alt') return mac ? '⌥' : 'Alt'
      if (part === 'Shift') return mac ? '⇧' : 'Shift'
      return names[part] ?? part.replace(/^(Key|Digit)/, '')
    })
    .join(mac ? '' : '+')
}

/** Whether what is typed goes into a text: keys without Ctrl, Alt or Command belong to that. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
