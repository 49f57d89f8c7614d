import { readFile } from 'node:fs/promises'
import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'
import { numberOption, textOption } from '../prompt.ts'
import type { Scripts, Step } from '../script.ts'
import { exit, raw, text, textPieces } from '../steps.ts'
import { writeBlock } from '../message.ts'
import { breathe, pause } from '../turn.ts'

/** Scripts about the stream itself: loads, recordings, dirt. */
export const streams: Scripts = {
  flood: {
    about: 'Many text deltas, as fast as they go or at a rate per second. For load tests.',
    options: 'frames=10000 size=100 rate=0',
    async *play({ call }) {
      yield flood({
        frames: numberOption(call, 'frames', 10_000),
        size: numberOption(call, 'size', 100),
        rate: numberOption(call, 'rate', 0),
      })
    },
  },
  replay: {
    about: 'Plays a recording of Claude Code byte for byte, then ends. speed=0 is as fast as it goes.',
    options: 'recording=FILE speed=1 code=0',
    bare: true,
    async *play({ call }) {
      yield replay(textOption(call, 'recording', ''), numberOption(call, 'speed', 1))
      yield exit(numberOption(call, 'code', 0))
    },
  },
  spam: {
    about: 'Dirt between the frames: lines that are no JSON, escape sequences, a 2 MB line, text of all scripts.',
    options: 'megabytes=2',
    async *play({ call }) {
      yield raw('this line is no JSON\n{"type":"assistant","message":{"cont\n\n{}\n[1,2]\nnull\n')
      yield raw('\u001b[?25l\u001b[2J\u001b[H\u001b]0;simulated title\u0007\n')
      yield text(
        'Grüße, мир, 世界, 👩‍👩‍👧‍👦 🚀 — “quotes” \u2028\u2029 \u001b[31mred\u001b[0m tab\t"q" \\ back é\u0301 🇩🇪',
        5,
      )
      yield raw('\u001b[?1000l\u001b[?2004l\u001b[0m')
      const megabyte = 1024 * 1024
      yield textPieces(['x'.repeat(numberOption(call, 'megabytes', 2) * megabyte)], 0)
      yield raw('Warning: simulated garbage\r\n')
      yield text('After the simulated dirt.', 5)
    },
  },
}

interface Flood {
  frames: number
  size: number
  /** Frames a second; 0: no limit. */
  rate: number
}

const tickMs = 10
const blockLength = 256 * 1024

const flood =
  ({ frames, size, rate }: Flood): Step =>
  async turn => {
    const quick = 'The quick brown fox jumps over the lazy dog. '
    const piece = quick.repeat(Math.ceil(size / quick.length)).slice(0, Math.max(size, 1))
    const perBlock = Math.max(1, Math.floor(blockLength / piece.length))
    const beganAt = performance.now()
    let sent = 0
    const pace = async () => {
      sent += 1
      const aheadMs = rate > 0 ? (sent / rate) * 1000 - (performance.now() - beganAt) : 0
      // The rate does not depend on the speed.
      if (aheadMs >= tickMs) await pause(turn, aheadMs * turn.session.speed)
      else await breathe(turn, sent)
    }
    for (let left = frames; left > 0; left -= perBlock) {
      const pieces = Array.from({ length: Math.min(perBlock, left) }, () => piece)
      await writeBlock(turn, { type: 'text', text: '' }, pieces, pace)
    }
  }

const lineMs = 20

const replay =
  (recording: string, speed: number): Step =>
  async turn => {
    const stored = await readFile(recording)
    const bytes = recording.endsWith('.gz') ? await promisify(gunzip)(stored) : stored
    let count = 0
    for (let from = 0, to = 0; from < bytes.length; from = to) {
      to = bytes.indexOf(10, from) + 1 || bytes.length
      turn.session.output.write(bytes.subarray(from, to))
      count += 1
      if (speed > 0) await pause(turn, lineMs / speed)
      else await breathe(turn, count)
    }
  }
