/**
 * What is seen in the place of a value that may be a secret: in every answer, list, topic and kept answer, by everybody,
 * except in what `session.get` answers to the control role. Refused as a value.
 */
export const masked = '[masked]'

/** Marks the schema of such a value: whatever is made of schemas (results, params, records of topics) masks it. */
export const secret = { secret: true } as const
