/** Returns a new idempotency key. Browsers offer `randomUUID` only to pages in a secure context. */
export const randomKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
