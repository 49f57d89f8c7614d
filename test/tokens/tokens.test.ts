import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTokens } from '../../daemon/tokens/tokens.ts'
import { limits } from '../../protocol/index.ts'
import { tempDir } from '../support/temp-dir.ts'

const begin = 1_750_000_000_000

/** The tokens of a home, with a clock that the test moves. `again` opens them as the next daemon would. */
function tokensForTest(path = join(tempDir(), 'tokens.json')) {
  const clock = { time: begin }
  const warnings: string[] = []
  let replaced = 0
  const open = () => {
    const tokens = createTokens(path, {
      log: { warn: message => void warnings.push(message) },
      now: () => clock.time,
      onReplaced: () => void replaced++,
    })
    onTestFinished(() => tokens.close())
    return tokens
  }
  return { tokens: open(), again: open, path, clock, warnings, replaced: () => replaced }
}

const kept = (path: string) => readFileSync(path, 'utf8')

describe('the tokens of a home', () => {
  it('are two at first, stay over restarts, and are stored in a file of mode 600', () => {
    const { tokens, again, path } = tokensForTest()
    const { control, observe } = tokens.builtIn()
    expect(control).toMatch(/^[\w-]{43}$/)
    expect(observe).not.toBe(control)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const next = again()
    expect(next.builtIn()).toEqual({ control, observe })
    expect(next.find(control)).toMatchObject({ id: 't_control', role: 'control' })
    expect(next.find(observe)).toMatchObject({ id: 't_observe', role: 'observe' })
    expect(next.find(`${observe}x`)).toBeUndefined()
    expect(next.find('')).toBeUndefined()
  })

  it('are stored and listed without their secrets', () => {
    const { tokens, again, path } = tokensForTest()
    const { token, secret } = tokens.create({ name: 'phone', role: 'observe' })
    expect(token).toEqual({
      id: expect.stringMatching(/^t_/),
      name: 'phone',
      role: 'observe',
      builtIn: false,
      createdAt: begin,
      expiresAt: null,
      lastUsedAt: null,
    })
    expect(kept(path)).not.toContain(secret)
    expect(JSON.stringify(tokens.list())).not.toMatch(new RegExp(`${secret}|hash|${tokens.builtIn().control}`))
    expect(again().find(secret)).toMatchObject({ id: token.id, role: 'observe' })
    expect(
      again()
        .list()
        .map(({ name }) => name),
    ).toEqual(['control', 'observe', 'phone'])
  })

  it('are read from a tokens.json that has only the built-in ones', () => {
    const path = join(tempDir(), 'tokens.json')
    writeFileSync(path, '{ "control": "old-control", "observe": "old-observe" }')
    utimesSync(path, 1_700_000_000, 1_700_000_000)
    const { tokens, warnings } = tokensForTest(path)
    expect(tokens.find('old-control')).toMatchObject({ id: 't_control' })
    expect(tokens.list()[1]).toMatchObject({ id: 't_observe', builtIn: true, createdAt: 1_700_000_000_000 })
    tokens.create({ name: 'new', role: 'control' })
    expect(JSON.parse(kept(path))).toMatchObject({ control: 'old-control', observe: 'old-observe' })
    expect(warnings).toEqual([])
  })

  it.each([
    ['no JSON', '{ "control": '],
    ['no object', '[]'],
    ['without a built-in token', '{ "control": "a" }'],
    ['with a token without a hash', '{ "control": "a", "observe": "b", "tokens": [{ "id": "t_x" }] }'],
  ])('are not replaced when the file is damaged: %s', (_, content) => {
    const path = join(tempDir(), 'tokens.json')
    writeFileSync(path, content)
    expect(() => tokensForTest(path)).toThrow(path)
    expect(() => tokensForTest(path)).toThrow('move it away to start with new tokens')
    expect(kept(path)).toBe(content)
    rmSync(path)
    expect(tokensForTest(path).tokens.list()).toHaveLength(2)
  })

  it('follow a built-in secret that was edited by hand', () => {
    const { tokens, again, path } = tokensForTest()
    tokens.create({ name: 'other', role: 'control' })
    writeFileSync(path, JSON.stringify({ ...JSON.parse(kept(path)), observe: 'mine' }))
    expect(again().find('mine')).toMatchObject({ role: 'observe' })
  })

  it('are unknown and unlisted once they expire, and are removed from the file', () => {
    const { tokens, again, clock, path } = tokensForTest()
    const { secret, token } = tokens.create({ name: 'short', role: 'control', expiresAfterMs: 60_000 })
    expect(token.expiresAt).toBe(begin + 60_000)
    clock.time += 59_999
    expect(tokens.find(secret)).toBeDefined()
    clock.time += 1
    expect(tokens.find(secret)).toBeUndefined()
    expect(tokens.list()).toHaveLength(2)
    expect(() => tokens.revoke(token.id)).toThrow(/no token/)
    again().close()
    expect(kept(path)).not.toContain('short')
  })

  it('end when they are revoked, and listeners are notified', () => {
    const { tokens, again } = tokensForTest()
    const ended: string[] = []
    const unsubscribe = tokens.onEnded(id => void ended.push(id))
    const first = tokens.create({ name: 'first', role: 'control' })
    const second = tokens.create({ name: 'second', role: 'control' })
    tokens.revoke(first.token.id)
    expect(tokens.find(first.secret)).toBeUndefined()
    expect(again().find(first.secret)).toBeUndefined()
    expect(tokens.find(second.secret)).toBeDefined()
    expect(() => tokens.revoke(first.token.id)).toThrow(/no token/)
    unsubscribe()
    tokens.revoke(second.token.id)
    expect(ended).toEqual([first.token.id])
  })

  it('are replaced instead of revoked when they are built in', () => {
    const { tokens, again, replaced } = tokensForTest()
    const { control, observe } = tokens.builtIn()
    const ended: string[] = []
    tokens.onEnded(id => void ended.push(id))
    tokens.revoke('t_control')
    const now = tokens.builtIn()
    expect(now).toEqual({ control: expect.not.stringMatching(control), observe })
    expect(tokens.find(control)).toBeUndefined()
    expect(again().find(now.control)).toMatchObject({ id: 't_control', role: 'control' })
    expect(tokens.list().map(({ id }) => id)).toEqual(['t_control', 't_observe'])
    expect({ ended, replaced: replaced() }).toEqual({ ended: ['t_control'], replaced: 1 })
  })

  it('remember when they were last used', () => {
    const { tokens, again, clock } = tokensForTest()
    const { secret } = tokens.create({ name: 'used', role: 'control' })
    clock.time += 5_000
    tokens.find(secret)
    expect(tokens.list()[2]).toMatchObject({ lastUsedAt: begin + 5_000 })
    tokens.close()
    expect(again().list()[2]).toMatchObject({ lastUsedAt: begin + 5_000 })
  })

  it('are limited by maxTokens', () => {
    const { tokens } = tokensForTest()
    const made = Array.from({ length: limits.maxTokens }, (_, at) => tokens.create({ name: `${at}`, role: 'observe' }))
    expect(() => tokens.create({ name: 'beyond', role: 'observe' })).toThrow(
      expect.objectContaining({ kind: 'limit', details: { limit: 'maxTokens', value: limits.maxTokens } }),
    )
    tokens.revoke(made[0]!.token.id)
    tokens.create({ name: 'in its place', role: 'observe' })
  })

  it('stay unchanged when a change cannot be stored', () => {
    const { tokens, path } = tokensForTest()
    const { secret, token } = tokens.create({ name: 'stays', role: 'control' })
    // The draft cannot be written, because a directory has its name.
    const draft = `${path}.${process.pid}.tmp`
    mkdirSync(draft)
    const refused = expect.objectContaining({ kind: 'limit', details: { limit: 'disk', value: 0 } })
    expect(() => tokens.revoke(token.id)).toThrow(refused)
    expect(() => tokens.create({ name: 'never', role: 'control' })).toThrow(refused)
    expect(tokens.find(secret)).toBeDefined()
    expect(tokens.list()).toHaveLength(3)
    rmdirSync(draft)
  })
})
