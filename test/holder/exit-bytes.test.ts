import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bytesLostByHolder,
  bytesLostWithoutShim,
  exitSizes,
  openPrintedBytes,
  type PrintedBytes,
} from './printed-bytes.ts'

describe('bytes printed just before the exit', () => {
  let printed: PrintedBytes
  beforeAll(() => {
    printed = openPrintedBytes()
  })
  afterAll(() => printed.close())

  const runs = 200
  const atOnce = 20

  it.each(exitSizes)('%i of them are all in the raw log before the exit record', async size => {
    expect(await bytesLostByHolder(printed, { size, runs, atOnce })).toBe(0)
  })

  it.each(exitSizes)('%i of them are all there when the event loop was blocked meanwhile', async size => {
    expect(await bytesLostByHolder(printed, { size, runs, atOnce, blockMs: 250 })).toBe(0)
  })

  it('are lost without the shim, which is why there is one', async () => {
    let lost = 0
    for (const size of [5_000, 10_000, 20_000]) lost += await bytesLostWithoutShim(printed, { size, runs: 40, atOnce })
    expect(
      lost,
      'Nothing was lost without the shim: either this Node and node-pty have stopped losing output (then this test has served its time), or the tests above could not see a loss.',
    ).toBeGreaterThan(0)
  })
})
