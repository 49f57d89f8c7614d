import { describe, expect, test } from 'vitest'
import { checkHost, checkOrigin, tokenOf } from '../../daemon/server/checks.ts'
import { createFailedTokens } from '../../daemon/server/failed-tokens.ts'
import { fixedTokens } from '../support/fixed-tokens.ts'

describe('the Host check', () => {
  const allowed = ['mux.example:7433', 'plain.example']
  test.each(['localhost:7433', 'LOCALHOST:7433', '127.0.0.1:7433', '127.9.8.7:7433', '[::1]:7433', ...allowed])(
    'accepts %s',
    host => expect(checkHost(host, 7433, allowed)).toBeUndefined(),
  )
  test.each([
    undefined,
    '',
    'localhost',
    'localhost:80',
    'localhost:07433x',
    'evil.example:7433',
    'localhost.evil.example:7433',
    '127.0.0.1.evil.example:7433',
    'evil.example',
    'localhost:7433@evil.example',
    '0.0.0.0:7433',
    '[::ffff:1.2.3.4]:7433',
    'mux.example',
    '10.0.0.1:7433',
  ])('rejects %s', host => expect(checkHost(host, 7433, allowed)).toMatchObject({ status: 403 }))

  test('accepts a Host without a port on port 80', () => {
    expect(checkHost('localhost', 80, [])).toBeUndefined()
  })
})

describe('the Origin check', () => {
  const allowed = ['https://ui.example', 'null']
  test.each([undefined, 'http://localhost:7433', 'http://127.0.0.1:7433', 'http://[::1]:7433', 'https://ui.example'])(
    'accepts %s',
    origin => expect(checkOrigin(origin, 7433, allowed)).toBeUndefined(),
  )
  test.each([
    '',
    'null',
    'https://localhost:7433',
    'http://localhost:3000',
    'http://localhost',
    'http://evil.example:7433',
    'https://ui.example.evil.example',
    'file://',
    'http://localhost:7433.evil.example',
  ])('rejects %s, even with null configured', origin =>
    expect(checkOrigin(origin, 7433, allowed)).toMatchObject({ status: 403 }),
  )
})

describe('the token', () => {
  const token = 'tö ken'.replace(' ', '-')
  test.each([
    [{ authorization: 'Bearer abc' }, 'abc'],
    [{ authorization: 'bearer   abc ' }, 'abc'],
    [{ authorization: 'Basic abc' }, undefined],
    [{ authorization: 'Bearer' }, undefined],
    [{}, undefined],
    [{ 'sec-websocket-protocol': `muxd.v1, muxd.auth.${Buffer.from(token).toString('base64url')}` }, token],
    [{ 'sec-websocket-protocol': 'muxd.v1' }, undefined],
    [{ authorization: 'Bearer first', 'sec-websocket-protocol': 'muxd.auth.c2Vjb25k' }, 'first'],
  ])('of the headers %j is %s', (headers, expected) => expect(tokenOf(headers)).toBe(expected))

  test.each([
    ['control', 'control'],
    ['observe', 'observe'],
    ['', undefined],
    ['contro', undefined],
    ['controlX', undefined],
  ] as const)('%s has the role %s', (given, role) => {
    expect(fixedTokens({ control: 'control', observe: 'observe' }).find(given)?.role).toBe(role)
  })
})

describe('wrong tokens', () => {
  test('lock authentication for a window after ten in one window, but not when they are spread', () => {
    let time = 0
    const failed = createFailedTokens({ most: 10, windowMs: 60_000, now: () => time })
    for (let count = 0; count < 30; count++) {
      failed.failed()
      time += 7_000
    }
    expect(failed.isLocked()).toBe(false)
    time += 100_000
    for (let count = 0; count < 9; count++) failed.failed()
    expect(failed.isLocked()).toBe(false)
    failed.failed()
    expect(failed.isLocked()).toBe(true)
    time += 59_999
    expect(failed.isLocked()).toBe(true)
    time += 1
    expect(failed.isLocked()).toBe(false)
  })
})
