import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { classifyExit, classifyResult } from '../../daemon/agents/claude/facts/failure.ts'
import { decodeLine } from '../../daemon/agents/claude/frame/frame.ts'
import { redact } from '../../daemon/log/redact.ts'
import { createLog } from '../../daemon/log/log.ts'
import { ofType, translate } from './support/replay.ts'

// Assembled here, so that they are not taken for real secrets.
const anthropic = `sk-ant-api03-${'aB3_'.repeat(6)}-xAA`
const openai = `sk-proj-${'x9Yz'.repeat(6)}`
const github = `ghp_${'a1B2'.repeat(9)}`
const aws = `AKIA${'Q7'.repeat(8)}`
const jwt = `eyJ${'hbGciOi'.repeat(2)}.eyJ${'zdWIiOi'.repeat(2)}.${'s_-9'.repeat(5)}`
const pem = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEow+/\n'.repeat(4)}-----END RSA PRIVATE KEY-----`

describe('redact', () => {
  test.each([
    [`invalid x-api-key ${anthropic}.`, 'invalid x-api-key [redacted].'],
    [`Incorrect API key provided: ${openai}`, 'Incorrect API key provided: [redacted]'],
    [`token ${github} expired`, 'token [redacted] expired'],
    [`github_pat_${'1aB_'.repeat(8)}`, '[redacted]'],
    [`key ${aws}!`, 'key [redacted]!'],
    [`got ${jwt}`, 'got [redacted]'],
    [`xoxb-${'123-abc'.repeat(3)}`, '[redacted]'],
    [`AIza${'Sy_d-'.repeat(7)}`, '[redacted]'],
    [`a\n${pem}\nb`, 'a\n[redacted]\nb'],
    [`a ${pem.slice(0, 60)}`, 'a [redacted]'],
    [pem.slice(40), '[redacted]'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['authorization: Basic dXNlcjpwYXNz', 'authorization: Basic [redacted]'],
    ['Authorization: abc', 'Authorization: [redacted]'],
    ['{"authorization":"Bearer abc","x":1}', '{"authorization":"Bearer [redacted]","x":1}'],
    ['{\\"Authorization\\": \\"Bearer abc\\"}', '{\\"Authorization\\": \\"Bearer [redacted]\\"}'],
    ["-H 'x-api-key: abc' -d 1", "-H 'x-api-key: [redacted]' -d 1"],
    ['Proxy-Authorization=Basic abc', 'Proxy-Authorization=Basic [redacted]'],
    ['Cookie: a=b; session=c\nnext', 'Cookie: [redacted]\nnext'],
    ['sent bearer abcdefgh12345678 to', 'sent bearer [redacted] to'],
    ['postgres://me:pa@ss@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['https://x-access-token:abc@github.com/a', 'https://[redacted]@github.com/a'],
    ['http://:secret@proxy:3128', 'http://[redacted]@proxy:3128'],
    ['ANTHROPIC_API_KEY=abcd1234efgh', 'ANTHROPIC_API_KEY=[redacted]'],
    ['export GH_TOKEN="abcd 1234 efgh"; x', 'export GH_TOKEN="[redacted]"; x'],
    ['client_secret: abcd1234efgh', 'client_secret: [redacted]'],
    ['{"apiKey":"abcd1234efgh","accessToken": "abcd1234efgh"}', '{"apiKey":"[redacted]","accessToken": "[redacted]"}'],
    ['DB_PASSWORD=hunter2 PGPASSWORD=hunter2', 'DB_PASSWORD=[redacted] PGPASSWORD=[redacted]'],
    ['password: hunter2', 'password: [redacted]'],
    ['aws_secret_access_key = abcd/1234+efgh', 'aws_secret_access_key = [redacted]'],
    ['?access_token=abcd1234efgh&x=1', '?access_token=[redacted]&x=1'],
    ['mysql --password hunter2 db', 'mysql --password [redacted] db'],
    ['curl --api-key abcd1234efgh -v', 'curl --api-key [redacted] -v'],
    ['--token=abcd1234efgh --x', '--token=[redacted] --x'],
    ['x --auth-token "abcd1234efgh"', 'x --auth-token "[redacted]"'],
    ['["--db-password", "hunter2", "x"]', '["--db-password", "[redacted]", "x"]'],
    ['{"args":["--secret","abcd1234efgh"]}', '{"args":["--secret","[redacted]"]}'],
    ['sent Basic dXNlcjpwYXNz to', 'sent Basic [redacted] to'],
    ['got basic dXNlcjpwYXNzd29yZA==', 'got basic [redacted]'],
  ])('removes the secrets of %j', (text, told) => expect(redact(text)).toBe(told))

  test.each([
    'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    'connect ECONNREFUSED 127.0.0.1:8080',
    'https://api.anthropic.com:443/v1/messages?beta=true',
    'ssh://git@github.com/a/b.git',
    'Invalid API key · Please run /login',
    'max_tokens: 4096, input_tokens=12345678',
    'SyntaxError: Unexpected token } in JSON at position 12345678',
    'SSH_KEY=/home/me/.ssh/id_ed25519 API_KEY=$ANTHROPIC_API_KEY API_KEY=<yours>',
    'password: required',
    'task-list sk-learn-contrib-and-more',
    'the bearer of bad news',
    'basic authentication is needed, Basic understanding',
    'error: unknown option --token --help, --password is required',
    'mkdir -p some/directory, --key /home/me/id_ed25519, --token $TOKEN',
    '7f3c1c2e-7d0a-4d8e-9c5b-0a1b2c3d4e5f toolu_01AbCdEfGhIjKlMnOpQrStUv',
    '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
  ])('leaves %j unchanged', text => expect(redact(text)).toBe(text))

  it('is idempotent and accepts any text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(anthropic, jwt, pem, aws, 'Authorization: ', 'x_TOKEN=', '://', ':', '@', '"', '\n', 'password='),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const once = redact(pieces.join(' '))
        expect(redact(once)).toBe(once)
        expect(redact(pieces.join(''))).not.toContain(anthropic)
      }),
      { numRuns: 1_000 },
    )
  })

  // With a backtracking expression, any of these would take hours.
  test.each([
    'eyJ',
    'eyJ-',
    'eyJaaaaaaaa.',
    'sk-',
    'sk-a',
    'ghp_',
    '://',
    'a://b:',
    'http://a:a',
    '@',
    ' ',
    '\t',
    '=',
    '"',
    '\\',
    'Authorization: ',
    'authorization',
    'Authorization: Bearer ',
    'cookie',
    'cookie: ',
    '_key',
    '_key=',
    'password',
    'pass',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN ',
    '-----END PRIVATE KEY-----',
    '-----END ',
    'A',
    'MIIE\n',
    'bearer ',
    'basic ',
    'basic dXNlcjpw',
    '--password',
    '--password ',
    '--a-',
    '--',
    '-',
    'a-',
    'é',
    '\n',
  ])('takes linear time for repetitions of %j', part => {
    const ends = ['', 'x', '.', '@', '=abcdefgh']
    const cpuMs = (characters: number) => {
      const texts = ends.map(end => part.repeat(Math.ceil(characters / part.length)) + end)
      const passes = Array.from({ length: 3 }, () => {
        const before = process.cpuUsage()
        for (const text of texts) redact(text)
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1_000
      })
      return Math.min(...passes)
    }
    // Quadratic time would be 64 times as much. The constant is above the CPU time that the garbage collector takes.
    expect(cpuMs(100_000)).toBeLessThan(24 * cpuMs(12_500) + 30)
  })
})

describe('secrets are redacted', () => {
  it('in a failure', () => {
    const context = { resumed: false, sawInit: true, apiError: null, refused: false, blockedBy: null, rateLimit: null }
    const result = classifyResult({ is_error: true, errors: [`invalid x-api-key ${anthropic}`] }, context)
    expect(result.detail).toBe('invalid x-api-key [redacted]')
    const exit = classifyExit({ status: 1, sawOutput: false, resumed: false, stderrTail: `GH_TOKEN=${github}\nbad` })
    expect(exit).toMatchObject({ detail: 'GH_TOKEN=[redacted]\nbad', stderrTail: 'GH_TOKEN=[redacted]\nbad' })
  })

  it('in the retry of a request', () => {
    const [retry] = ofType(
      translate([{ type: 'system', subtype: 'api_retry', error: `401 ${anthropic}` }]),
      'api_retry',
    )
    expect(retry?.error).toBe('401 [redacted]')
  })

  it('in the head of a line that is not JSON, also at its cut', () => {
    for (const before of [0, 150, 195]) {
      const [line] = decodeLine(Buffer.from(`${'. '.repeat(before / 2)}${anthropic} ${'.'.repeat(300)}`))
      const head = line && 'unparsed' in line ? line.unparsed.head : ''
      expect(head.length).toBeLessThanOrEqual(200)
      expect(head).not.toContain('sk-')
    }
  })

  it('in the log of the daemon, which stays JSON', () => {
    const lines: string[] = []
    for (const format of ['json', 'text'] as const)
      createLog('info', format, line => lines.push(line)).info(`using ${anthropic}`, {
        authToken: 'x',
        nested: { list: [pem.slice(0, 60)] },
        error: new Error(`refused ${jwt}`),
      })
    expect(lines.join('')).not.toMatch(/sk-ant|eyJ|MIIE|Token":"x/)
    expect(JSON.parse(lines[0]!)).toMatchObject({ message: 'using [redacted]', authToken: '[redacted]' })
  })

  it('but not in the text of a conversation', () => {
    const text = `the key is ${anthropic}`
    const frame = { type: 'assistant', message: { id: 'm', role: 'assistant', content: [{ type: 'text', text }] } }
    expect(ofType(translate([frame]), 'assistant_text').map(event => event.delta)).toEqual([text])
  })
})
