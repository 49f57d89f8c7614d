/**
 * Replaces a value that may be a secret, for both roles, in every answer, list, topic and stored answer. Only the
 * answer of `session.get` to the control role contains the value itself. As a value in params it is `invalid_params`.
 */
export const masked = '[masked]'

/**
 * Marks the schema of a value that may be a secret. Everything derived from schemas (results, params, records of
 * topics) masks such values.
 */
export const secret = { secret: true } as const
