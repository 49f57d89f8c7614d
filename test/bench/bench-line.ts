/** One line of the benchmark's table: a goal of the project, the measurement, and its reference. */
export interface BenchLine {
  /** `G1` and so on, or `PAGE`. */
  goal: string
  what: string
  value: string
  /** The same quantity of another subject in the same run, or a bound. */
  reference: string
  /** `value` divided by `reference`; for G7, that minus 1. */
  ratio?: number
  floor?: string
  aim?: string
}
