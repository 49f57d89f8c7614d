/**
 * Encodes text from outside muxd for a column that is not JSON. SQLite keeps lone surrogates as replacement characters,
 * and Node 22 cuts text with a NUL when it reads it: such text is stored as a JSON string. So is text that begins like
 * one.
 */
export const exactText = (text: string): string => (/\p{Surrogate}|^"|\0/u.test(text) ? JSON.stringify(text) : text)

/**
 * Returns the text that was given to `exactText`. Damaged text is returned as it is: its record's checksum does not
 * match.
 */
export function originalText(stored: string): string {
  if (!stored.startsWith('"')) return stored
  try {
    return JSON.parse(stored) as string
  } catch {
    return stored
  }
}
