import type { Tokens } from '../../protocol/index.ts'

export const noTokens: Tokens = { input: 0, output: 0, cacheCreation: 0, cacheRead: 0 }

export const sumOfTokens = (one: Tokens, other: Tokens): Tokens => ({
  input: sumOfCounts(one.input, other.input),
  output: sumOfCounts(one.output, other.output),
  cacheCreation: sumOfCounts(one.cacheCreation, other.cacheCreation),
  cacheRead: sumOfCounts(one.cacheRead, other.cacheRead),
})

/** Above this bound a count is not an exact integer, and the database refuses it. */
const sumOfCounts = (one: number, other: number) => Math.min(one + other, Number.MAX_SAFE_INTEGER)
