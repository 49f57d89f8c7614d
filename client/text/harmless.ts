/**
 * Makes text of a model, a tool or another client harmless to show: it cannot begin an escape sequence, overwrite or
 * hide anything, or appear in another order than it is written.
 *
 * Removes:
 * - control characters (C0, DEL, C1), except newline and tab; line and paragraph separators; unpaired surrogates
 * - characters that are not visible by themselves: directional marks, overrides and isolates, zero-width spaces, tags,
 *   fillers, the byte order mark
 *
 * Keeps joiners and variation selectors where they change a glyph: within an emoji, and between letters of scripts that
 * join.
 */
export const harmless = (text: string): string => (harmfulOnce.test(text) ? text.replace(harmful, '') : text)

/**
 * Escapes the same characters in JSON text as `\uXXXX`. The JSON keeps its meaning, and a terminal shows it unchanged.
 */
export const harmlessJson = (json: string): string => (harmfulOnce.test(json) ? json.replace(harmful, escaped) : json)

const escaped = (character: string) =>
  Array.from({ length: character.length }, (_, index) => escapedUnit(character.charCodeAt(index))).join('')
const escapedUnit = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`

const joining =
  '\\p{sc=Arab}\\p{sc=Syrc}\\p{sc=Mong}\\p{sc=Nkoo}\\p{sc=Deva}\\p{sc=Beng}\\p{sc=Guru}\\p{sc=Gujr}\\p{sc=Orya}' +
  '\\p{sc=Taml}\\p{sc=Telu}\\p{sc=Knda}\\p{sc=Mlym}\\p{sc=Sinh}\\p{sc=Khmr}\\p{sc=Mymr}'
const kept = [
  '(?<=[\\p{Emoji}\\p{S}])[\\ufe0e\\ufe0f]',
  '(?<=[\\p{ExtPict}\\p{Emoji_Modifier}\\ufe0f])\\u200d(?=\\p{ExtPict})',
  `(?<=[${joining}])[\\u200c\\u200d](?=[${joining}])`,
].join('|')
// `\p{DI}` is Unicode's "default ignorable": characters for which a font may show nothing.
const expression = `(?!${kept})[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ufff9-\\ufffb\\p{Cs}\\p{DI}]`
const harmful = new RegExp(expression, 'gu')
const harmfulOnce = new RegExp(expression, 'u')
