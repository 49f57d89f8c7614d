import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

it("README's program prints each message on lines of its own, and ends", async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const [, program] = /## From a program\n\n```ts\n([^`]*'say hi'[^`]*)```/.exec(readme)!
  const outfile = join(tempDir(), 'program.mjs')
  await build({
    // This prompt gives two messages with a tool call between them.
    stdin: { contents: program!.replace("'say hi'", "'sim:tools'"), loader: 'ts', resolveDir: root },
    alias: { 'muxd/client': join(root, 'client/sdk/index.ts') },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  })
  const daemon = await startTestDaemon()
  const child = spawn(process.execPath, [outfile], {
    cwd: tempDir(),
    env: { PATH: process.env['PATH']!, MUXD_HOME: daemon.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  expect(await once(child, 'close'), output).toEqual([0, null])

  const peer = await daemon.peer()
  const { runs } = await peer.call<{ runs: { session: string }[] }>('run.list', {})
  const topic = `session/${runs[0]!.session}`
  const { events } = await peer.call<{ events: { type: string; messageId?: string; delta?: string }[] }>('topic.read', {
    topic,
    after: 0,
    limit: 1_000,
  })
  const texts = new Map<string, string>()
  for (const { type, messageId = '', delta } of events) {
    if (type === 'assistant_text') texts.set(messageId, (texts.get(messageId) ?? '') + delta)
  }
  expect(texts.size).toBeGreaterThan(1)
  const lines = output.split('\n')
  for (const text of texts.values()) expect(lines).toEqual(expect.arrayContaining(text.split('\n')))
})
