import { appendFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type LogTail, openTail } from '../../client/cli/daemon/log-tail.ts'
import { createLogFile } from '../../daemon/log/log-file.ts'
import { tempDir } from '../support/temp-dir.ts'

let path: string
beforeEach(() => {
  path = join(tempDir(), 'log', 'x.log')
})

/** Writes log files of eleven lines each. */
function writerForTest(files = 4) {
  const log = createLogFile({ path, maxBytes: 100, files })
  onTestFinished(() => log.close())
  return (from: number, to: number) => numbered(from, to).forEach(line => log.write(`${line}\n`))
}

function tailForTest(): LogTail {
  const tail = openTail(path)!
  onTestFinished(() => tail.close())
  return tail
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)
const all = () => true

describe('the tail of a log', () => {
  it('returns the last matching lines from as many files as needed', () => {
    writerForTest()(100, 135)
    expect(readdirSync(join(path, '..'))).toHaveLength(4)
    expect(tailForTest().last(25, all)).toEqual(numbered(110, 135))
    expect(tailForTest().last(1_000, all)).toEqual(numbered(100, 135))
    expect(tailForTest().last(0, all)).toEqual([])
    expect(tailForTest().last(3, line => line.endsWith('0'))).toEqual(['line 110', 'line 120', 'line 130'])
  })

  it('continues with new lines, each once, through all rotated files', () => {
    const write = writerForTest()
    write(100, 105)
    const tail = tailForTest()
    expect(tail.last(2, all)).toEqual(['line 103', 'line 104'])
    expect(tail.next()).toEqual([])
    write(105, 108)
    expect(tail.next()).toEqual(numbered(105, 108))
    write(108, 135)
    expect(tail.next()).toEqual(numbered(108, 135))
    write(135, 160)
    expect(tail.next()).toEqual(numbered(135, 160))
    expect(tail.next()).toEqual([])
  })

  it.each([1, 2])('continues with the remaining lines after it fell behind %i kept files', files => {
    const write = writerForTest(files)
    write(100, 105)
    const tail = tailForTest()
    tail.last(0, all)
    write(105, 195)
    const lines = tail.next()
    // First the rest of the file that the tail had open, then the lines that are still kept.
    expect(lines).toEqual([...numbered(105, 111), ...numbered(195 - (lines.length - 6), 195)])
    expect(lines.length).toBeGreaterThan(6)
    write(195, 200)
    expect(tail.next()).toEqual(numbered(195, 200))
  })

  it('returns a line once it is complete', () => {
    mkdirSync(join(path, '..'))
    appendFileSync(path, 'one\ntw')
    const tail = tailForTest()
    expect(tail.last(10, all)).toEqual(['one'])
    appendFileSync(path, 'o\nthree')
    expect(tail.next()).toEqual(['two'])
  })

  it('is undefined when there is no log', () => {
    expect(openTail(path)).toBeUndefined()
  })
})
