import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { until } from '../support/until.ts'
import { jsonLines, muxd } from './muxd.ts'

const framesOfPrompt = fileURLToPath(new URL('../fixtures/stand-ins/frames-of-prompt.mjs', import.meta.url))

/** Returns the frames of one message with these blocks; each text is written in pieces. */
const message = (...blocks: ({ text: string[] } | { tool: string })[]) => {
  const stream = (event: object) => ({ type: 'stream_event', event })
  const start = { id: 'msg_1', type: 'message', role: 'assistant', model: 'stand-in', content: [], usage: {} }
  return [
    stream({ type: 'message_start', message: start }),
    ...blocks.flatMap((block, index) => {
      const isText = 'text' in block
      const content_block = isText
        ? { type: 'text', text: '' }
        : { type: 'tool_use', id: 't1', name: 'Bash', input: {} }
      const deltas = isText
        ? block.text.map(piece => ({ type: 'text_delta', text: piece }))
        : [{ type: 'input_json_delta', partial_json: JSON.stringify({ command: block.tool }) }]
      const whole = isText
        ? { type: 'text', text: block.text.join('') }
        : { type: 'tool_use', id: 't1', name: 'Bash', input: { command: block.tool } }
      return [
        stream({ type: 'content_block_start', index, content_block }),
        ...deltas.map(delta => stream({ type: 'content_block_delta', index, delta })),
        { type: 'assistant', message: { ...start, content: [whole] } },
        stream({ type: 'content_block_stop', index }),
      ]
    }),
    stream({ type: 'message_stop' }),
  ]
}

const standIn = async () => {
  const { home } = await startTestDaemon({ argv: ['--claude-bin', framesOfPrompt] })
  return (frames: object[], ...argv: string[]) => ['run', JSON.stringify(frames), '--home', home, ...argv]
}

it('an answer of 400 kB in one frame arrives whole, as text and with --json', async () => {
  const { home } = await startTestDaemon({ argv: ['--claude-bin', framesOfPrompt] })
  const long = 'x'.repeat(400_000)
  const frame = { type: 'assistant', message: { id: 'm', role: 'assistant', content: [{ type: 'text', text: long }] } }
  const input = JSON.stringify([frame])
  const plain = await muxd(['run', '--home', home], { input }).ended
  expect(plain.code).toBe(0)
  expect(plain.stdout.length).toBe(long.length + 1)
  const { stdout } = await muxd(['run', '--json', '--home', home], { input }).ended
  expect(jsonLines(stdout).find(({ type }) => type === 'assistant_text')).toMatchObject({ delta: long })
})

it('a surrogate pair split over two deltas is printed as one character', async () => {
  const argv = await standIn()
  const { stdout } = await muxd(argv(message({ text: ['a\ud83d', '\ude00b'] }))).ended
  expect(stdout).toBe('a😀b\n')
})

it('text and tools have their own lines when standard error is redirected to standard output', async () => {
  const argv = await standIn()
  const args = ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, 'dist/muxd.js']
  const merged = spawn('sh', [...args, ...argv(message({ text: ['no line', ' ends'] }, { tool: 'ls' }))], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines = (await text(merged.stdout)).split('\n')
  expect(lines).toContain('no line ends')
  expect(lines).toContain('◌ Bash ls')
})

it('run says that the run continues when its output is closed', async () => {
  const { home } = await startTestDaemon()
  const run = muxd(['run', 'sim:slow delayMs=5000 words=150', '--home', home])
  await until(() => expect(run.stdout()).not.toBe(''))
  const id = /^(r_\S+)/.exec(run.stderr())![1]!
  run.closeStdout()
  const { code, stderr } = await run.ended
  expect(code).toBe(0)
  expect(stderr).toMatch(new RegExp(`muxd: the output was closed; the run goes on: muxd attach ${id}\n$`))
  expect(await muxd(['wait', id, '--home', home]).ended).toMatchObject({ code: 0 })
})

it('show says nothing about an ended run when its output is closed', async () => {
  const { home } = await startTestDaemon()
  const id = (await muxd(['run', '--detach', 'sim:long words=20000 delayMs=0', '--home', home]).ended).stdout.trim()
  await muxd(['wait', id, '--home', home]).ended
  const shown = muxd(['show', id, '--home', home])
  await until(() => expect(shown.stdout()).not.toBe(''))
  shown.closeStdout()
  expect(await shown.ended).toMatchObject({ stderr: '' })
})
