import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setTimeout as delay } from 'node:timers/promises'
import {
  blockEventLoop,
  bytesLostByPtyHost,
  bytesLostWithoutShim,
  exitSizes,
  openPrintedBytes,
  type PrintedBytes,
} from './printed-bytes.ts'
import { openRemotePtyHost } from './remote-pty-host.ts'

describe('bytes printed just before the exit', () => {
  let printed: PrintedBytes
  beforeAll(async () => {
    printed = await openPrintedBytes()
  })
  afterAll(() => printed.close())

  const runs = 100
  const atOnce = 20

  it.each(exitSizes)('%i of them are all in the raw log before the exit record', async size => {
    expect(await bytesLostByPtyHost(printed, { size, runs, atOnce })).toBe(0)
  })

  it.each(exitSizes)('%i of them are all in the raw log if the event loop was blocked meanwhile', async size => {
    expect(await bytesLostByPtyHost(printed, { size, runs, atOnce, block: () => blockEventLoop(250) })).toBe(0)
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

describe('bytes printed just before the exit, in a separate pty-host', () => {
  let printed: PrintedBytes
  let pid: number
  beforeAll(async () => {
    printed = await openPrintedBytes(async dir => {
      const opened = await openRemotePtyHost(dir)
      pid = opened.pid
      return opened
    })
  })
  afterAll(() => printed.close())

  const atOnce = 20

  it.each(exitSizes)('%i of them are all in the raw log before the exit record', async size => {
    expect(await bytesLostByPtyHost(printed, { size, runs: 40, atOnce })).toBe(0)
  })

  describe.each([4_097, 1_000_000])('%i of them are all in the raw log', size => {
    it.each([50, 5_000])('if the pty-host was stopped for %i ms', async ms => {
      const block = async () => {
        process.kill(pid, 'SIGSTOP')
        await delay(ms)
        process.kill(pid, 'SIGCONT')
      }
      expect(await bytesLostByPtyHost(printed, { size, runs: atOnce, atOnce, block })).toBe(0)
    })

    it.each([50, 5_000])('if the reader was blocked for %i ms', async ms => {
      expect(await bytesLostByPtyHost(printed, { size, runs: atOnce, atOnce, block: () => blockEventLoop(ms) })).toBe(0)
    })
  })
})
