import { describe, expect, test } from 'vitest'
import { decodeLine } from '../../daemon/agents/claude/frame.ts'

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

  test('with escapes of its own, which are content', () => {
    expect(decode('{"type":"a","text":"\\u001b[31mred"}')).toEqual([{ frame: { type: 'a', text: '\x1b[31mred' } }])
  })

  test('with bytes that are no UTF-8, which become U+FFFD', () => {
    const line = Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')])
    expect(decode(line)).toEqual([{ frame: { type: '\ufffd\ufffd' } }])
  })

  test('of 5 MB', () => {
    const text = '\u2028x'.repeat(1_250_000)
    expect(decode(JSON.stringify({ type: 'a', text }))).toEqual([{ frame: { type: 'a', text } }])
  })
})

describe('one line holds several JSON values', () => {
  const beside = (head: string) => ({ unparsed: { reason: 'beside_a_frame', bytes: Buffer.byteLength(head), head } })
  const other = { type: 'result', result: 'a "quoted" } brace \\', list: [[], {}, [1.5e-3, true, null]] }

  test('two frames are both there, in order', () => {
    expect(decode(json + JSON.stringify(other))).toEqual([{ frame }, { frame: other }])
  })

  test('a frame follows JSON of another program, whatever its number of objects', () => {
    const foreign = JSON.stringify({
      jsonrpc: '2.0',
      params: { items: Array.from({ length: 500 }, (_, i) => ({ i })) },
    })
    const [told, ...frames] = decode(`${foreign}${json} ${foreign}${JSON.stringify(other)}`)
    expect(told).toMatchObject({ unparsed: { reason: 'beside_a_frame', bytes: foreign.length } })
    expect(frames).toMatchObject([{ frame }, { unparsed: { bytes: foreign.length + 1 } }, { frame: other }])
  })

  test('a frame follows another one that was cut anywhere', () => {
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

  test('a frame follows objects without end, however many there are', () => {
    const stray = '{"a":'.repeat(3_000)
    expect(decode(stray + json).at(-1)).toEqual({ frame })
  })
})

describe('text glued to a frame is told beside it', () => {
  const beside = (head: string) => ({ unparsed: { reason: 'beside_a_frame', bytes: Buffer.byteLength(head), head } })

  test.each([
    ['in front', `Warning: {"no": json} grün ${json}`, [beside('Warning: {"no": json} grün '), { frame }]],
    ['echoed input in front', `hello^M${json}`, [beside('hello^M'), { frame }]],
    ['behind', `${json}Error: }{ "x"`, [{ frame }, beside('Error: }{ "x"')]],
    [
      'a frame that was cut, in front',
      `{"type":"assistant","message":{"con${json}`,
      [beside('{"type":"assistant","message":{"con'), { frame }],
    ],
  ])('%s', (_where, line, expected) => {
    expect(decode(line)).toEqual(expected)
  })
})

describe('a line that holds none is told', () => {
  test('blank ones apart', () => {
    for (const line of ['', ' ', '\r', '\x1b[?25h', '\x1b[0m \x1b[?25h\x07']) expect(decode(line)).toEqual([])
  })

  test.each([
    ['Error: boom', 'not_json'],
    ['{"type":"assistant","mess', 'not_json'],
    // What is left of a frame that was cut behind an inner object is not that object.
    ['{"type":"assistant","message":{"content":[{"type":"text","text":"x"}', 'not_json'],
    ['{"type":"assistant", Warning: {"type":"text"} }}', 'not_json'],
    ['42', 'not_an_object'],
    ['[{"type":"x"}]', 'not_an_object'],
    ['null', 'not_an_object'],
  ])('%j: %s', (line, reason) => {
    expect(decode(line)).toEqual([{ unparsed: { reason, bytes: line.length, head: line } }])
  })

  test('by its first 200 characters', () => {
    const [told] = decode('é'.repeat(1_000))
    expect(told).toEqual({ unparsed: { reason: 'not_json', bytes: 2_000, head: 'é'.repeat(200) } })
  })

  test('in a time that grows with its length, however many braces it has', () => {
    const begin = process.cpuUsage()
    expect(decode('{"'.repeat(500_000))).toHaveLength(1)
    expect(process.cpuUsage(begin).user).toBeLessThan(2_000_000)
  })
})
