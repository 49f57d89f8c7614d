import { expect, it } from 'vitest'
import { startTestDaemon } from '../support/daemon.ts'
import { jsonLines, muxd } from './muxd.ts'

const promptOf = (stdout: string) => jsonLines(stdout)[0]!['prompt']

it('standard input is appended to the prompt, unless --no-stdin is given', async () => {
  const { home } = await startTestDaemon()
  const input = '- old\n+ new\n'
  const piped = await muxd(['run', 'review this', '--json', '--home', home], { input }).ended
  expect(promptOf(piped.stdout)).toBe(`review this\n\n${input}`)
  const refused = await muxd(['run', 'review this', '--no-stdin', '--json', '--home', home], { input }).ended
  expect(promptOf(refused.stdout)).toBe('review this')
})

it('silent standard input delays a run by 3 s, and a notice says so', async () => {
  const { home } = await startTestDaemon()
  const { code, stdout, stderr } = await muxd(['run', 'hello', '--json', '--home', home], { input: null }).ended
  expect(code).toBe(0)
  expect(promptOf(stdout)).toBe('hello')
  expect(stderr).toBe('muxd: nothing came on standard input for 3 s; going on without it (--no-stdin does not wait)\n')
})

it('a prompt that becomes too large with standard input is a usage error', async () => {
  const { code, stderr } = await muxd(['run', 'x', '--no-start'], { input: 'y'.repeat(3 * 1024 * 1024) }).ended
  expect(code).toBe(2)
  expect(stderr).toBe(
    'muxd: the prompt with standard input is larger than 3145728 bytes (3 MiB), the most there may be\n',
  )
})
