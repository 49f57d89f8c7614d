import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { spawn } from 'node-pty'
import { expect, onTestFinished, test } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'
import { hasProc, residentBytes, untilIdle } from '../support/proc.ts'
import { isResult, isTextDelta, live, play, resultOf, simulatorPath, startSimulator } from '../support/simulator.ts'
import { until } from '../support/until.ts'

const directory = resolve('test/fixtures/recordings')

const recordings = readdirSync(directory).filter(file => /\.raw(\.gz)?$/.test(file))

test.each([recordings.find(file => file.endsWith('.raw'))!, recordings.find(file => file.endsWith('.gz'))!])(
  'replay prints %s byte for byte',
  async name => {
    const file = `${directory}/${name}`
    const { stdout, code } = await play(`sim:replay recording=${file} speed=0`)
    const bytes = readFileSync(file)
    expect(stdout.equals(name.endsWith('.gz') ? gunzipSync(bytes) : bytes)).toBe(true)
    expect(code).toBe(0)
  },
)

test('replay at a speed prints the same bytes, and exits with the given code', async () => {
  const paced = await play(`sim:replay recording=${directory}/live-turns.raw speed=4 code=1`)
  expect(paced.stdout.equals(readFileSync(`${directory}/live-turns.raw`))).toBe(true)
  expect(paced.code).toBe(1)
})

test('replay of a missing file prints its path and fails', async () => {
  const { stderr, code } = await play('sim:replay recording=/nowhere/at-all.raw')
  expect(stderr).toContain('/nowhere/at-all.raw')
  expect(code).toBe(1)
})

test('flood prints the given number of deltas of the given size', async () => {
  const { frames } = await play('sim:flood frames=20000 size=50')
  const deltas = frames.filter(isTextDelta)
  expect(deltas).toHaveLength(20_000)
  expect(deltas.every(({ event }) => event.delta.text.length === 50)).toBe(true)
})

test('flood takes as long as its rate requires, at any speed', async () => {
  const beganAt = performance.now()
  const { frames } = await play('sim:flood frames=50 rate=100')
  expect(performance.now() - beganAt).toBeGreaterThan(450)
  expect(frames.filter(isTextDelta)).toHaveLength(50)
})

test('flood can be interrupted', async () => {
  const simulator = startSimulator(live)
  simulator.prompt('sim:flood frames=100000000 size=10')
  await simulator.frame(isTextDelta)
  simulator.control({ subtype: 'interrupt' })
  expect(await simulator.frame(isResult)).toMatchObject({ terminal_reason: 'aborted_streaming' })
})

test.skipIf(!hasProc)('flood waits for a slow reader in bounded memory', async () => {
  const simulator = startSimulator(live)
  simulator.prompt('sim:flood frames=100000000')
  await simulator.frame(isTextDelta)
  simulator.stopReading()
  await untilIdle(simulator.pid)
  expect(residentBytes(simulator.pid)).toBeLessThan(150 * 1024 * 1024)
})

test('spam prints garbage between complete frames', async () => {
  const { frames, stdout } = await play('sim:spam')
  const dirt = frames.filter(({ type }) => type === 'dirt').map(({ line }) => line as string)
  expect(dirt).toContain('this line is no JSON')
  expect(stdout.includes('\u001b[2J')).toBe(true)
  expect(
    Math.max(
      ...stdout
        .toString()
        .split('\n')
        .map(line => line.length),
    ),
  ).toBeGreaterThan(2 * 1024 * 1024)
  expect(resultOf(frames)).toMatchObject({ subtype: 'success', result: 'After the simulated dirt.' })
  expect(stdout.toString()).toContain('👩‍👩‍👧‍👦')
})

test('a broken tool input is printed raw, and a background task gives a second result', async () => {
  const broken = await play('sim:broken-input')
  const call = broken.frames.find(({ message }) => message?.content?.[0]?.type === 'tool_use')!
  expect(call['message'].content[0].input).toEqual({ __unparsedToolInput: { raw: '{"command": "echo trunc', len: 23 } })
  const { frames, code } = await play('sim:background takesMs=500')
  const results = frames.filter(isResult)
  expect(results.map(({ result_index: index }) => index)).toEqual([0, 1])
  expect(results[1]!['origin']).toMatchObject({ kind: 'task-notification' })
  expect(results[1]).not.toHaveProperty('user_message_uuid')
  expect(code).toBe(0)
})

test('the output in a terminal ends by showing the cursor, as with Claude Code', async () => {
  const env = { PATH: process.env['PATH'], MUXD_SIMULATOR_HOME: tempDir(), MUXD_SIMULATOR_SPEED: '100' }
  // The shell keeps the terminal open, so that no output is lost at the end.
  const command = [simulatorPath, '-p', '--output-format', 'stream-json', '--verbose', 'sim:text hi']
  const terminal = spawn('sh', ['-c', '"$@"; read wait', 'sh', ...command], { env, encoding: null })
  onTestFinished(() => terminal.kill('SIGKILL'))
  let printed = ''
  terminal.onData(chunk => (printed += chunk))
  await until(() => expect(printed.endsWith('\r\n\u001b[?25h')).toBe(true))
  expect(printed).toContain('"type":"result"')
})
