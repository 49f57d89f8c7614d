import { describe, expect, it } from 'vitest'
import type { LineContent } from '../../daemon/agents/agent.ts'
import { claude } from '../../daemon/agents/claude/agent.ts'
import { createOutputReader, type Output } from '../../daemon/pty-host/output.ts'
import { processFiles } from '../../daemon/pty-host/process-files.ts'
import { openRawLog } from '../../daemon/pty-host/raw-log.ts'
import { createRawLog } from '../../daemon/pty-host/raw-log-writer.ts'
import { tempDir } from '../support/temp-dir.ts'

const nonce = 'nonce'

/** Returns what a reader of a raw log that begins at `from` returns. */
function outputsFrom(dir: string, from: number): Output<LineContent>[] {
  const rawLog = openRawLog(dir, 'p', from)
  const reader = createOutputReader(rawLog, nonce, claude, from)
  const outputs: Output<LineContent>[] = []
  for (let output = reader.read(); output; output = reader.read()) outputs.push(output)
  rawLog.close()
  return outputs
}

describe('a reader that continues at the checkpoint', () => {
  it.each([
    ['on a line of its own', '{"type":"a"}\n', 1],
    ['behind carriage returns', '{"type":"a"}\r\n\r', 1],
    ['behind an unterminated line', '{"type":"a"}\n{"type":"b"}', 2],
    ['behind text', '{"type":"a"}\nKilled', 2],
    ['alone', '', 0],
  ])('finds the exit record again, and no line twice: %s', (_, printed, lines) => {
    const dir = tempDir()
    const writer = createRawLog(processFiles(dir, 'p'), 1, { onStalled() {}, onRecovered() {} })
    writer.append(Buffer.from(`${printed}\x1e${nonce} 7\n`))
    writer.close()
    const outputs = outputsFrom(dir, 0)
    expect(outputs.flatMap(output => output.lines)).toHaveLength(lines)
    expect(outputs.at(-1)!.exit).toEqual({ status: 7 })
    const again = outputsFrom(dir, outputs.at(-1)!.offset)
    expect(again.flatMap(output => output.lines)).toEqual([])
    expect(again.at(-1)?.exit).toEqual({ status: 7 })
  })
})
