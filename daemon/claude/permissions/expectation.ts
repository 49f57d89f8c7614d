/** What should stand, in words, in the place of what is no rule or could never decide anything. */
export interface Expectation {
  expected: string
}
