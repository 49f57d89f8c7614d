import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Calm, Measured } from './calm.ts'
import { fewestSamples, judge } from './flat.ts'
import { type Holdings, holdingsOf } from './measure.ts'
import { figuresOf, type Peaks } from './report.ts'

const none: Holdings = { descriptors: 0, threads: 0, ptys: 0, rssMiB: 0 }
const peaks: Peaks = { daemon: none, ptyHost: none }
const idle: Measured = { pid: 1, ...none }
const growing = (by: number) => Array.from({ length: 12 }, (_, index) => 20 + index * by)

describe('judge()', () => {
  it.each<[string, number[], boolean]>([
    ['constant samples as flat', growing(0), true],
    ['falling samples as flat', growing(-1), true],
    ['one more a round as growing', growing(1), false],
    ['a warm-up as flat', [1, 1, ...growing(0)], true],
    ['one outlier as flat', [...growing(0).slice(1), 1_000], true],
    ['a rise that falls again as flat', [20, 20, 20, 20, 20, 90, 90, 90, 20, 20, 20, 20], true],
    ['a step that stays as growing', [20, 20, 20, 20, 20, 20, 30, 30, 30, 30, 30, 30], false],
  ])('judges %s', (_, samples, isFlat) => {
    expect(judge(samples, () => 3).isFlat).toBe(isFlat)
  })

  it('throws for too few measurements', () => {
    expect(() => judge(growing(0).slice(0, fewestSamples - 1), () => 3)).toThrow('let it run for longer')
  })
})

/**
 * Returns the measurements that are not flat for a program that does four units of work a round and leaks with each.
 */
async function notFlatIn(leak: string): Promise<string[]> {
  const child = spawn(process.execPath, ['test/soak/leaky-program.mjs', leak], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    const exited = once(child, 'exit')
    child.stdin.end()
    await exited
  })
  const calms: Calm[] = []
  for (let round = 0; round < 12; round++) {
    for (let run = 0; run < 4; run++) {
      child.stdin.write('run\n')
      await once(child.stdout, 'data')
    }
    const measured = { pid: child.pid!, ...holdingsOf(child.pid!)! }
    calms.push({ daemon: idle, ptyHost: measured, processFiles: 0, temporaryFiles: 0 })
  }
  return figuresOf(calms, peaks).flatMap(({ what, isFlat }) => (isFlat ? [] : [what]))
}

describe.skipIf(process.platform !== 'linux')('a soak of a program (skipped where there is no /proc)', () => {
  it.each([
    ['descriptors', 'pty-host: file descriptors'],
    ['threads', 'pty-host: threads'],
    ['ptys', 'pty-host: PTYs'],
    ['rssMiB', 'pty-host: RSS, MiB'],
  ])('that leaks %s reports it', async (leak, what) => {
    expect(await notFlatIn(leak)).toContain(what)
  })

  it('that leaks nothing reports nothing', async () => {
    expect(await notFlatIn('nothing')).toEqual([])
  })

  it.each<[string, Partial<Calm>, string]>([
    ['files of deleted sessions', { processFiles: 1 }, 'files of deleted sessions'],
    ['temporary files', { temporaryFiles: 1 }, 'temporary files'],
  ])('that leaves %s behind reports it', (_, left, what) => {
    const calm = { daemon: idle, ptyHost: idle, processFiles: 0, temporaryFiles: 0 }
    const calms = Array.from({ length: 9 }, (_each, index) => (index === 8 ? { ...calm, ...left } : calm))
    expect(
      figuresOf(calms, peaks)
        .filter(({ isFlat }) => !isFlat)
        .map(figure => figure.what),
    ).toEqual([what])
  })
})
