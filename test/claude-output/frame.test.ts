import { describe, expect, test } from 'vitest'
import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'

const decode = (line: string | Buffer) => decodeLine(Buffer.from(line))
const frame = { type: 'system', subtype: 'x', text: 'grüße \u2028 [' }
const json = JSON.stringify(frame)

describe('a line holds a frame', () => {
  test.each([
    ['alone', json],
    ['with white space around it', ` \t${json} \r`],
    ['behind an escape sequence', `\x1b[?25h${json}`],
    ['before an escape sequence', `${json}\x1b[?25h`],
    ['behind the reset burst of an interrupted CLI', `\x1b[?2026l\x1b[<u\x1b[>4m\x1b[?1004l\x1b(B\x1b[?25h${json}`],
    ['with an escape sequence within', `${json.slice(0, 30)}\x1b[2K\x1b[1G${json.slice(30)}`],
    ['behind a window title', `\x1b]0;claude {"a":1}\x07${json}`],
    ['behind a title ended by ST', `\x1b]0;claude\x1b\\${json}`],
    ['behind a device control string', `\x1bP+q544e\x1b\\${json}`],
    ['behind control characters', `\x04\x08\x08\x00${json}\x07`],
    ['behind a byte order mark', `\ufeff${json}`],
  ])('%s', (_where, line) => {
    expect(decode(line)).toEqual([{ frame }])
  })

  test('with JSON escapes, which are content', () => {
    expect(decode('{"type":"a","text":"\\u001b[31mred"}')).toEqual([{ frame: { type: 'a', text: '\x1b[31mred' } }])
  })

  test('with invalid UTF-8, which becomes U+FFFD', () => {
    const line = Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')])
    expect(decode(line)).toEqual([{ frame: { type: '\ufffd\ufffd' } }])
  })

  test('of 5 MB', () => {
    const text = '\u2028x'.repeat(1_250_000)
    expect(decode(JSON.stringify({ type: 'a', text }))).toEqual([{ frame: { type: 'a', text } }])
  })
})

describe('a line with several JSON values', () => {
  const beside = (head: string) => ({ unparsed: { reason: 'beside_a_frame', bytes: Buffer.byteLength(head), head } })
  const other = { type: 'result', result: 'a "quoted" } brace \\', list: [[], {}, [1.5e-3, true, null]] }

  test('gives two frames in order', () => {
    expect(decode(json + JSON.stringify(other))).toEqual([{ frame }, { frame: other }])
  })

  test('gives a frame that follows JSON of another program with many objects', () => {
    const foreign = JSON.stringify({
      jsonrpc: '2.0',
      params: { items: Array.from({ length: 500 }, (_, i) => ({ i })) },
    })
    const [told, ...frames] = decode(`${foreign}${json} ${foreign}${JSON.stringify(other)}`)
    expect(told).toMatchObject({ unparsed: { reason: 'beside_a_frame', bytes: foreign.length } })
    expect(frames).toMatchObject([{ frame }, { unparsed: { bytes: foreign.length + 1 } }, { frame: other }])
  })

  test('gives a frame that follows a frame truncated anywhere', () => {
    const whole = JSON.stringify({
      type: 'assistant',
      message: { content: [{ type: 'text', text: 'a "b" {' }] },
      n: -1,
    })
    for (let length = 1; length < whole.length; length += 1) {
      const cut = whole.slice(0, length)
      expect(decode(cut + json)).toEqual([beside(cut), { frame }])
    }
  })

  test('gives a frame that follows thousands of unclosed objects', () => {
    const stray = '{"a":'.repeat(3_000)
    expect(decode(stray + json).at(-1)).toEqual({ frame })
  })
})

describe('text glued to a frame is reported beside it', () => {
  const beside = (head: string) => ({ unparsed: { reason: 'beside_a_frame', bytes: Buffer.byteLength(head), head } })

  test.each([
    ['in front', `Warning: {"no": json} grün ${json}`, [beside('Warning: {"no": json} grün '), { frame }]],
    ['echoed input in front', `hello^M${json}`, [beside('hello^M'), { frame }]],
    ['behind', `${json}Error: }{ "x"`, [{ frame }, beside('Error: }{ "x"')]],
    [
      'a truncated frame in front',
      `{"type":"assistant","message":{"con${json}`,
      [beside('{"type":"assistant","message":{"con'), { frame }],
    ],
  ])('%s', (_where, line, expected) => {
    expect(decode(line)).toEqual(expected)
  })
})

describe('a line without a frame', () => {
  test('is ignored if it is blank', () => {
    for (const line of ['', ' ', '\r', '\x1b[?25h', '\x1b[0m \x1b[?25h\x07']) expect(decode(line)).toEqual([])
  })

  test.each([
    ['Error: boom', 'not_json'],
    ['{"type":"assistant","mess', 'not_json'],
    // A frame truncated after an inner object must not be read as that object.
    ['{"type":"assistant","message":{"content":[{"type":"text","text":"x"}', 'not_json'],
    ['{"type":"assistant", Warning: {"type":"text"} }}', 'not_json'],
    ['42', 'not_an_object'],
    ['[{"type":"x"}]', 'not_an_object'],
    ['null', 'not_an_object'],
  ])('%j is unparsed with the reason %s', (line, reason) => {
    expect(decode(line)).toEqual([{ unparsed: { reason, bytes: line.length, head: line } }])
  })

  test('is reported with its first 200 characters', () => {
    const [told] = decode('é'.repeat(1_000))
    expect(told).toEqual({ unparsed: { reason: 'not_json', bytes: 2_000, head: 'é'.repeat(200) } })
  })

  test('is decoded in linear time, however many braces it has', () => {
    const begin = process.cpuUsage()
    expect(decode('{"'.repeat(500_000))).toHaveLength(1)
    expect(process.cpuUsage(begin).user).toBeLessThan(2_000_000)
  })
})
