import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBlocks } from '../../../client/workspace/conversation/model/blocks.ts'

const cut = (...deltas: string[]) => {
  const blocks = createBlocks()
  for (const [index, delta] of deltas.entries()) blocks.push(delta, index + 1)
  return blocks.all
}
const sources = (...deltas: string[]) => cut(...deltas).map(({ source }) => source)

describe('cutting streamed Markdown into blocks', () => {
  it.each<[what: string, text: string, blocks: string[]]>([
    ['paragraphs', 'one\ntwo\n\nthree\n', ['one\ntwo\n\n', 'three\n']],
    ['a code block with an empty line', 'a\n```ts\nx\n\ny\n```\nb', ['a\n', '```ts\nx\n\ny\n```\n', 'b']],
    ['a code block that is not closed yet', '```\nx\n\ny', ['```\nx\n\ny']],
    ['a loose list, whole', '- a\n\n- b\n\n  more of b\n\nc\n', ['- a\n\n- b\n\n  more of b\n\n', 'c\n']],
    ['a code block inside a list', '1. a\n\n   ```\n   x\n   ```\n\n2. b', ['1. a\n\n   ```\n   x\n   ```\n\n2. b']],
    ['a longer fence around a shorter one', '````\n```\n\n````\nz', ['````\n```\n\n````\n', 'z']],
    ['no blank lines at the beginning', '\n\na\n', ['a\n']],
    ['an unfinished line with the text before it', 'a\n\nb', ['a\n\nb']],
  ])('keeps %s', (_what, text, blocks) => {
    expect(sources(text)).toEqual(blocks)
  })

  it('continues a code block that is too long in one of the same language', () => {
    const line = `${'x'.repeat(99)}\n`
    const [first, second, ...rest] = sources(`\`\`\`ts\n${line.repeat(70)}\`\`\`\n`, 'after')
    expect(first).toMatch(/^```ts\nx/)
    expect(second).toMatch(/^```ts\nx[^`]*```\n$/)
    expect(rest).toEqual(['after'])
  })

  it('breaks a line without an end at a space, into blocks of at most 2,001 characters', () => {
    const blocks = cut('word '.repeat(20_000))
    expect(Math.max(...blocks.map(({ source }) => source.length))).toBeLessThanOrEqual(2_001)
    expect(blocks.every(({ source }) => /^(word )+$/.test(source))).toBe(true)
    expect(new Set(blocks.map(({ key }) => key)).size).toBe(blocks.length)
  })

  const piece = fc.constantFrom(
    'a',
    ' b',
    '\n',
    '\n\n',
    '```',
    '```\n',
    '- c',
    '1. d\n',
    '    e\n',
    '# f\n',
    '~~~',
    '|g|',
  )

  it('loses no text, gives each block its own key, and never changes finished blocks', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), deltas => {
        const blocks = createBlocks()
        let finished: readonly { key: string; source: string }[] = []
        for (const [index, delta] of deltas.entries()) {
          blocks.push(delta, index + 1)
          expect(blocks.all.slice(0, finished.length)).toEqual(finished)
          finished = blocks.all.slice(0, -1)
        }
        const { all } = blocks
        expect(new Set(all.map(({ key }) => key)).size).toBe(all.length)
        const letters = (text: string) => text.replaceAll(/\s/g, '')
        expect(letters(all.map(({ source }) => source).join(''))).toBe(letters(deltas.join('')))
      }),
    )
  })

  it('gives the same blocks wherever the text is split into deltas', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(), (pieces, seed) => {
        const text = pieces.join('')
        const at = text.length ? seed % text.length : 0
        expect(sources(text.slice(0, at), text.slice(at))).toEqual(sources(text))
      }),
    )
  })
})
