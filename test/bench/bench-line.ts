/** One line of the benchmark's table: a goal of the project, what was measured, and what it is measured against. */
export interface BenchLine {
  /** `G1` and so on. */
  goal: string
  what: string
  value: string
  /** The same measured of something else in the same run, or a bound. */
  reference: string
  /** Value by reference. */
  ratio?: number
  floor?: string
  aim?: string
}
