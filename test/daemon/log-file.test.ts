import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLogFile } from '../../daemon/log/log-file.ts'
import { bundleProgram, startProgram } from '../store/child-program.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

function logForTest({ maxBytes = 1_000, files = 3, now = Date.now } = {}) {
  const directory = join(tempDir(), 'log')
  const path = join(directory, 'x.log')
  const log = createLogFile({ path, maxBytes, files, now })
  onTestFinished(() => log.close())
  return { log, path, directory }
}

/** Returns all kept lines, oldest first. */
function keptLines(directory: string): string[] {
  const number = (name: string) => Number(name.split('.')[2] ?? 0)
  const names = readdirSync(directory).toSorted((one, other) => number(other) - number(one))
  return names.flatMap(name => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

describe('a log in files', () => {
  it('keeps the latest lines in a bounded number of files of bounded size, readable by its user only', () => {
    const { log, directory } = logForTest({ maxBytes: 1_000, files: 3 })
    const lines = numbered(1_000, 2_000)
    for (const line of lines) log.write(`${line}\n`)
    expect(readdirSync(directory).toSorted()).toEqual(['x.log', 'x.log.1', 'x.log.2'])
    for (const name of readdirSync(directory)) {
      const { size, mode } = statSync(join(directory, name))
      expect(size).toBeLessThanOrEqual(1_000)
      expect(mode & 0o777).toBe(0o600)
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    const kept = keptLines(directory)
    expect(kept).toEqual(lines.slice(-kept.length))
    expect(kept.length).toBeGreaterThan(2 * 90)
  })

  it('continues an existing file, and starts a single file over when it is full', () => {
    const { log, path, directory } = logForTest({ files: 1 })
    log.write('before\n')
    log.close()
    log.write('after\n')
    expect(keptLines(directory)).toEqual(['before', 'after'])
    log.write(`${'x'.repeat(995)}\n`)
    expect(readFileSync(path, 'utf8')).toMatch(/^x+\n$/)
  })

  it('creates no directory if nothing is logged', () => {
    const { log, directory } = logForTest()
    log.close()
    expect(existsSync(directory)).toBe(false)
  })

  it('starts a new line after a truncated one', () => {
    const { log, path, directory } = logForTest()
    log.write('whole\n')
    log.close()
    writeFileSync(path, 'whole\ncut of')
    log.write('next\n')
    expect(keptLines(directory)).toEqual(['whole', 'cut of', 'next'])
  })

  it('drops lines while the disk is full, and afterwards logs how many', () => {
    let time = 1_000
    const { log, path, directory } = logForTest({ now: () => time })
    log.write('one\n')
    log.close()
    rmSync(path)
    symlinkSync('/dev/full', path)
    for (const line of numbered(0, 5)) log.write(`${line}\n`)
    rmSync(path)
    log.write('still asked too soon\n')
    time += 1_000
    log.write('there is room\n')
    const [said, next] = keptLines(directory)
    expect(JSON.parse(said!)).toMatchObject({ level: 'warn', lines: 6 })
    expect(next).toBe('there is room')
  })

  it('loses no line of a writer that is killed at any moment', async () => {
    const directory = tempDir()
    const bundles = tempDir()
    const writer = await bundleProgram(new URL('./log-file-writer.ts', import.meta.url), bundles)
    let next = 0
    for (let round = 0; round < 6; round++) {
      const { child, output } = startProgram([process.execPath, writer, join(directory, 'x.log'), String(next)])
      onTestFinished(() => void child.kill('SIGKILL'))
      const exited = once(child, 'exit')
      await until(() => expect(readdirSync(directory).length, output()).toBeGreaterThan(10 * (round + 1)))
      child.kill('SIGKILL')
      await exited
      const numbers = keptLines(directory).map(line => (JSON.parse(line) as { number: number }).number)
      next = numbers.at(-1)! + 1
      expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index))
    }
  })
})
