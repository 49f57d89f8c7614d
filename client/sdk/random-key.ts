/** An idempotency key. Not `randomUUID`, which browsers keep from pages that are not served securely. */
export const randomKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
