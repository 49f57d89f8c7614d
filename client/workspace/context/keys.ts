/**
 * A key after its modifiers, joined by `+`. `Mod` is Command on a Mac and Ctrl elsewhere. The key is a single character
 * or a `KeyboardEvent.code`, which does not depend on the keyboard layout or on Alt.
 */
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

/** Whether the key press is this chord. */
export function isChord(press: KeyPress, chord: Chord, mac: boolean): boolean {
  const parts = chord.split('+')
  const key = parts.pop()!
  const held = new Set(parts)
  const mod = mac ? press.metaKey : press.ctrlKey
  const otherMod = mac ? press.ctrlKey : press.metaKey
  if (held.has('Mod') !== mod || otherMod || held.has('Alt') !== press.altKey) return false
  // Whether a character such as `?` needs Shift depends on the keyboard.
  if (key.length === 1) return press.key === key
  return press.code === key && held.has('Shift') === press.shiftKey
}

/** Whether a key was pressed without modifiers, is no repetition and composes no character. */
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

/** Returns the chord as shown to the user. */
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

/** Whether the target is a form field or editable text, which receives keys pressed without Ctrl, Alt or Command. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
