import { describe, expect, it } from 'vitest'
import { chosenOf, findCommands } from '../../client/workspace/app/commands/find-commands.ts'
import { chordText, isBare, isChord, type KeyPress } from '../../client/workspace/context/keys.ts'
import { matchScore } from '../../client/workspace/app/commands/match.ts'
import { isSimulator } from '../../client/workspace/context/simulator.ts'
import { readFragment, writeFragment } from '../../client/workspace/fragment.ts'
import { ago, bytes, count, duration, oneLine, shortPath, usd } from '../../client/workspace/parts/format.ts'

describe('the link to the page', () => {
  it('reads the code and the workspace behind its #, and keeps only the workspace', () => {
    const cases: [hash: string, read: object, kept: string][] = [
      ['', { workspace: 'main' }, ''],
      ['#code=abc', { code: 'abc', workspace: 'main' }, ''],
      ['#code=a%2Fb&workspace=my%20team', { code: 'a/b', workspace: 'my team' }, '#workspace=my+team'],
      ['#workspace=%3Cb%3E', { workspace: 'main' }, ''],
      ['#code=&workspace=', { workspace: 'main' }, ''],
    ]
    for (const [hash, read, kept] of cases) {
      expect(readFragment(hash)).toEqual(read)
      expect(writeFragment(readFragment(hash))).toBe(kept)
    }
  })
})

describe('key chords', () => {
  const press = (key: string, code: string, held: Partial<KeyPress> = {}): KeyPress => ({
    key,
    code,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    ...held,
  })

  it('match by physical key, so that Alt and the keyboard layout do not matter', () => {
    const cases: [KeyPress, chord: string, mac: boolean, is: boolean][] = [
      [press('k', 'KeyK', { ctrlKey: true }), 'Mod+KeyK', false, true],
      [press('k', 'KeyK', { metaKey: true }), 'Mod+KeyK', true, true],
      [press('k', 'KeyK', { ctrlKey: true }), 'Mod+KeyK', true, false],
      [press('k', 'KeyK', { ctrlKey: true, metaKey: true }), 'Mod+KeyK', false, false],
      [press('˜', 'KeyN', { altKey: true }), 'Alt+KeyN', true, true],
      [press('n', 'KeyN'), 'Alt+KeyN', false, false],
      [press('ArrowLeft', 'ArrowLeft', { altKey: true, shiftKey: true }), 'Alt+ArrowLeft', false, false],
      [press('ArrowLeft', 'ArrowLeft', { altKey: true, shiftKey: true }), 'Alt+Shift+ArrowLeft', false, true],
      [press('?', 'Minus', { shiftKey: true }), '?', false, true],
      [press('?', 'Slash', { ctrlKey: true }), '?', false, false],
    ]
    for (const [pressed, chord, mac, is] of cases) expect(isChord(pressed, chord, mac), chord).toBe(is)
    expect([chordText('Mod+KeyK', false), chordText('Alt+Shift+ArrowLeft', true)]).toEqual(['Ctrl+K', '⌥⇧←'])
  })
})

describe('a bare key', () => {
  it('has no modifier, is not repeated and is not part of a composition', () => {
    const bare = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, isComposing: false }
    expect(isBare(bare)).toBe(true)
    for (const held of Object.keys(bare)) expect(isBare({ ...bare, [held]: true }), held).toBe(false)
  })
})

describe('the command palette', () => {
  it('ranks beginnings of words before middles, and finds letters in order', () => {
    const ranked = (query: string) =>
      ['Open daemon', 'Open sessions', 'New session…', 'Split to the right', 'Deny: reopen']
        .map(title => ({ title, score: matchScore(query, title) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .map(({ title }) => title)
    expect(ranked('open')).toEqual(['Open daemon', 'Open sessions', 'Deny: reopen'])
    expect(ranked('ses')[0]).toBe('Open sessions')
    expect(ranked('right split')).toEqual(['Split to the right'])
    expect(ranked('opdae')).toEqual(['Open daemon'])
    expect(ranked('zzz')).toEqual([])
  })

  const answers = [
    { id: 'sessions', title: 'Open sessions' },
    { id: 'look', title: 'Look at Bash: rm -rf build', hint: 'shop', words: 'allow deny answer' },
    { id: 'allow', title: 'Allow Bash: rm -rf build', hint: 'shop', isFinal: true },
    { id: 'deny', title: 'Deny Bash: rm -rf build', hint: 'shop', isFinal: true },
  ]
  const idsFor = (query: string) => findCommands(answers, query).map(({ id }) => id)

  it('offers an answer to an approval only by its whole name, and never first', () => {
    for (const query of ['', 'al', 'all', 'allo', 'alw', 'dny', 'rm', 'bash rm', 'build', 'shop'])
      expect(idsFor(query), query).not.toContain('allow')
    expect(idsFor('allow')).toEqual(['look', 'allow'])
    expect(idsFor('Deny rm shop')).toEqual(['look', 'deny'])
    expect(idsFor('rm allow')).toEqual(['look'])
    expect(findCommands(answers.slice(2), 'allow')).toEqual([])
  })

  it('keeps the chosen command while others come and go', () => {
    const found = findCommands(answers, 'allow')
    expect(chosenOf(found, undefined)).toBe(0)
    expect(found[chosenOf(found, 'allow')]?.id).toBe('allow')
    // The chosen command is gone, since it was answered elsewhere. The choice falls back to the first command, which
    // answers nothing.
    expect(found[chosenOf(found.slice(0, 1), 'allow')]?.id).toBe('look')
  })
})

describe('the simulator', () => {
  it('is recognised by its version text', () => {
    const version = '2.1.329 (Claude Code stand-in: muxd simulator)'
    expect(isSimulator({ agents: [{ kind: 'claude', path: '/x', version }] })).toBe(true)
    expect(isSimulator({ agents: [{ kind: 'claude', path: '/simulator', version: '2.1.329 (Claude Code)' }] })).toBe(
      false,
    )
    expect(isSimulator({ agents: [] })).toBe(false)
  })
})

describe('formatted figures', () => {
  it('are abbreviated', () => {
    expect([0, 900, 12_300, 60_000, 185_000, 7_800_000, 360_000_000].map(duration)).toEqual([
      '0.0 s',
      '0.9 s',
      '12 s',
      '1 min',
      '3 min 5 s',
      '2 h 10 min',
      '4 d 4 h',
    ])
    expect([0, 0.004_2, 1.239, 1_204.4].map(usd)).toEqual(['$0', '$0.0042', '$1.24', '$1,204'])
    expect([940, 12_400, 3_100_000].map(count)).toEqual(['940', '12.4 k', '3.1 M'])
    expect([812, 4_200, 18_000_000].map(bytes)).toEqual(['812 B', '4.2 kB', '18 MB'])
    expect([0, 30_000, 240_000, 7_200_000].map(ms => ago(1e12 - ms, 1e12))).toEqual([
      'just now',
      '30 s ago',
      '4 min ago',
      '2 h ago',
    ])
    expect([oneLine('\n  a\nb'), oneLine('abc', 2)]).toEqual(['a', 'ab…'])
  })

  it('paths keep their last part, other text keeps its beginning', () => {
    const path = '/home/ann/projects/shop/src/checkout/total.ts'
    expect(shortPath(path, 100)).toBe(path)
    expect(shortPath(path, 30)).toBe('/home/ann/projects/s…/total.ts')
    expect(shortPath(path, 30).length).toBeLessThanOrEqual(30)
    expect(shortPath(path, 6)).toBe('total…')
    expect(shortPath('npm test -- src/a.ts', 10)).toBe('npm test …')
  })
})
