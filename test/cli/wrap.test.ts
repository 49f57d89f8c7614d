import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { approvalLines } from '../../client/cli/render/approval.ts'
import { terminalSink } from '../../client/cli/screen/sink.ts'
import { widthOf } from '../../client/cli/screen/text.ts'
import { wrapStyled } from '../../client/cli/screen/wrap.ts'

const colors = picocolors.createColors(true)
// oxlint-disable-next-line no-control-regex
const plain = (text: string) => text.replaceAll(/\u001b\[\d+m/g, '')
const advice = 'Start Claude Code in a terminal and sign in with /login, or check the API key.'

describe('a line longer than the terminal is wide', () => {
  it.each([120, 80, 40, 20])('is wrapped between words in %i columns, with its indent and colour', columns => {
    const text = `  ${colors.dim(advice)}`
    const lines = plain(wrapStyled(text, columns)).split('\n')
    for (const line of lines) {
      expect(widthOf(line), line).toBeLessThanOrEqual(columns)
      expect(line).toMatch(/^ {2}\S/)
    }
    expect(lines.map(line => line.trim()).join(' ')).toBe(advice)
    expect(wrapStyled(text, columns)).toContain('\u001b[2m')
  })

  it('is broken within a word that does not fit, and unchanged when it fits', () => {
    expect(wrapStyled('✗ failed: abc', 80)).toBe('✗ failed: abc')
    expect(
      wrapStyled(`at ${'x'.repeat(30)}`, 20)
        .split('\n')
        .every(line => line.length <= 20),
    ).toBe(true)
    expect(
      wrapStyled('日本語 '.repeat(10).trim(), 20)
        .split('\n')
        .every(line => widthOf(line) <= 20),
    ).toBe(true)
  })

  it('is printed in full by the terminal sink', () => {
    let screen = ''
    const sink = terminalSink({
      write: text => (screen += text),
      columns: () => 40,
      rows: () => 24,
      dim: text => text,
    })
    sink.line(`  ${advice}`)
    expect(screen.replaceAll(/\s+/g, ' ').trim()).toBe(advice)
  })
})

it('a question is wrapped between words, without losing a character', () => {
  const question = 'Which of the databases shall I use for the orders of the shop? '.repeat(3)
  const lines = approvalLines(
    { kind: 'question', tool: 'AskUserQuestion', input: { questions: [{ question, options: [] }] } },
    { colors: picocolors.createColors(false), columns: 40 },
  ).slice(1)
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/ $/)
  expect(lines.map(line => line.slice(2)).join('')).toBe(question)
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(40)
})
