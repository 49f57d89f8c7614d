import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linesFromEnd } from '../../daemon/agents/claude/conversations/lines-from-end.ts'
import {
  configDirectory,
  findTranscript,
  listTranscripts,
  readEnd,
} from '../../daemon/agents/claude/conversations/transcripts.ts'
import { tempDir } from '../support/temp-dir.ts'

const id = '11111111-1111-4111-8111-111111111111'
const other = '22222222-2222-4222-8222-222222222222'

interface Entry {
  type: string
  [field: string]: unknown
}
const says = (content: unknown, uuid: string, more: object = {}): Entry => ({
  type: 'user',
  uuid,
  cwd: '/work',
  timestamp: '2026-11-27T04:00:00.000Z',
  isSidechain: false,
  message: { role: 'user', content },
  ...more,
})
const answers = (uuid: string, more: object = {}): Entry => ({ ...says('', uuid), type: 'assistant', ...more })

function transcript(config: string, name: string, entries: (Entry | string)[], ofId = id, usedAt?: number): string {
  const directory = join(config, 'projects', name)
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${ofId}.jsonl`)
  writeFileSync(path, entries.map(entry => `${typeof entry === 'string' ? entry : JSON.stringify(entry)}\n`).join(''))
  if (usedAt !== undefined) utimesSync(path, usedAt, usedAt)
  return path
}

describe('the lines of a file from its end', () => {
  const backwards = async (content: string | Buffer, maxBytes = Infinity) => {
    const path = join(tempDir(), 'file')
    writeFileSync(path, content)
    const file = await open(path)
    try {
      const lines: string[] = []
      for await (const line of linesFromEnd(file, maxBytes)) lines.push(line.toString())
      return lines
    } finally {
      await file.close()
    }
  }

  it.each(['', '\n', 'a', 'a\n', 'a\n\nb', '\na', `${'x'.repeat(300_000)}\n${'y'.repeat(700_000)}\nz`, '\n'.repeat(5)])(
    'are all lines in reverse order (%#)',
    async content => expect(await backwards(content)).toEqual(content.split('\n').toReversed()),
  )

  it('are whole if characters or newlines lie at the boundaries of reads', async () => {
    for (const shift of [-2, -1, 0, 1, 2]) {
      const content = `${'é'.repeat(10)}\n${'ü'.repeat(131_072)}\n${'a'.repeat(262_144 + shift)}\nend`
      expect(await backwards(content)).toEqual(content.split('\n').toReversed())
    }
  })

  it('end before a line that exceeds the byte limit', async () => {
    expect(await backwards(`${'x'.repeat(1_000)}\nlast\n`, 100)).toEqual(['', 'last'])
  })
})

describe('a transcript', () => {
  it('is looked for in the configuration directory of the environment', () => {
    expect(configDirectory({ HOME: '/home/a' })).toBe('/home/a/.claude')
    expect(configDirectory({ HOME: '/home/a', CLAUDE_CONFIG_DIR: '/other' })).toBe('/other')
  })

  it('is found by the name of its folder, or in any other folder', async () => {
    const config = tempDir()
    expect(await findTranscript(config, id, '/work')).toEqual({
      lookedAt: join(config, 'projects/-work', `${id}.jsonl`),
    })
    const path = transcript(config, '-work', [says('x', 'u1')])
    expect(await findTranscript(config, id, '/work')).toEqual({ path, prompt: 'x' })
    expect(await findTranscript(config, id, '/home')).toEqual({ path, prompt: 'x', elsewhere: '/work' })
  })

  it.each([
    ['/tmp/we ird_dir.äöü-X+y', '-tmp-we-ird-dir-----X-y'],
    [`/${'l'.repeat(250)}`, `-${'l'.repeat(199)}-iydvx7`],
  ])('of directory %s is found in its folder', async (cwd, name) => {
    const config = tempDir()
    const path = transcript(config, name, [says('x', 'u1', { cwd })])
    expect(await findTranscript(config, id, cwd)).toEqual({ path, prompt: 'x' })
    expect(await listTranscripts(config, cwd, 10)).toMatchObject([{ id }])
  })

  it('is read from its end for the newest message of the main lane and the newest cost counter', async () => {
    const entries = [
      says('one', 'u1'),
      answers('a1'),
      { type: 'cost-state', totalCostUSD: 1 },
      { type: 'cost-state', totalCostUSD: 2.5 },
      answers('side', { isSidechain: true }),
      { type: 'attachment', uuid: 'no message', isSidechain: false },
      '{"type":"assistant","uuid":"half a li',
    ]
    expect(await readEnd(transcript(tempDir(), '-work', entries))).toEqual({ message: 'a1', counterUsd: 2.5 })
    const nothing = { message: undefined, counterUsd: undefined }
    expect(await readEnd(transcript(tempDir(), '-work', ['garbage', '', 'null']))).toEqual(nothing)
    const long = [
      { type: 'cost-state', totalCostUSD: 3 },
      answers('a1'),
      { type: 'noise', text: 'x'.repeat(2_000_000) },
    ]
    expect(await readEnd(transcript(tempDir(), '-work', long))).toEqual({ message: 'a1', counterUsd: 3 })
  })

  it('is listed with the first prompt of the user, not with text that Claude Code added', async () => {
    const config = tempDir()
    const early = [
      { type: 'queue-operation' },
      says('Caveat: …', 'u1', { isMeta: true }),
      says('<command-name>/clear</command-name>', 'u2'),
      says([{ type: 'text', text: ' what I want ' }], 'u3'),
      says('later', 'u4'),
    ]
    transcript(config, '-work', early, id, 100)
    transcript(config, '-work', [answers('a1')], other, 200)
    expect(await listTranscripts(config, '/work', 10)).toMatchObject([
      { id: other, prompt: '', updatedAt: 200_000 },
      { id, prompt: 'what I want', updatedAt: 100_000, startedAt: Date.parse('2026-11-27T04:00:00Z') },
    ])
    expect(await listTranscripts(config, '/work', 1)).toMatchObject([{ id: other }])
  })

  it('without messages, or of another directory with the same folder name, is not listed', async () => {
    const config = tempDir()
    transcript(config, '-we-ird', [{ type: 'queue-operation' }])
    transcript(config, '-we-ird', [says('x', 'u1', { cwd: '/we ird' })], other)
    expect(await listTranscripts(config, '/we-ird', 10)).toEqual([])
    expect(await listTranscripts(config, '/we ird', 10)).toMatchObject([{ id: other }])
    expect(await listTranscripts(tempDir(), '/we ird', 10)).toEqual([])
  })
})
