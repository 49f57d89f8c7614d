import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import { checkEnd } from './support/check-end.ts'
import { drain, fields, operation, type Operation, play, stopDaemon } from './support/histories.ts'
import { World } from './support/world.ts'

/**
 * Random histories of a session in a simulated world. The world checks each input, effect and restart; `checkEnd`
 * checks the log and what is left at the end. `MUXD_TEST_HISTORIES` sets their number.
 */
const histories = Number(process.env['MUXD_TEST_HISTORIES'] ?? 250)
const operations = fc.array(operation, { maxLength: 200, size: 'max' })

describe('a session in any history of calls, output, faults and restarts', () => {
  it('ends each run once, answers each call, and is the fold of what is stored', () => {
    const passes = shortened((steps: Operation[], oneShot: boolean, approvals: (typeof fields)[number]) => {
      const world = new World(approvals, oneShot)
      for (const each of steps) play(world, each)
      drain(world)
      checkEnd(world)
    })
    fc.assert(fc.property(operations, fc.boolean(), fc.constantFrom(...fields), passes), { numRuns: histories })
  }, 600_000)

  it('ends its process and each run when the daemon stops', () => {
    const passes = shortened((steps: Operation[]) => {
      const world = new World()
      for (const each of steps) play(world, each)
      stopDaemon(world)
      checkEnd(world)
    })
    fc.assert(fc.property(operations, passes), { numRuns: Math.ceil(histories / 2) })
  }, 600_000)
})

/** Limits the search for a shorter failing history to 500 tries. To find the shortest takes hours. */
function shortened<History extends unknown[]>(check: (...history: History) => void): (...history: History) => void {
  let left = Infinity
  return (...history) => {
    if (left-- <= 0) return
    try {
      check(...history)
    } catch (error) {
      left = Math.min(left, 500)
      throw error
    }
  }
}
