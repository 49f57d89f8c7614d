import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isResult, live, oneShot, play, resultOf, startSimulator } from '../support/simulator.ts'

test('--version prints a version of Claude Code and names the simulator', async () => {
  const simulator = startSimulator(['--version'])
  expect(await simulator.ended).toEqual({ code: 0, signal: null })
  expect(simulator.stdout.toString()).toBe('2.1.329 (Claude Code stand-in: muxd simulator)\n')
})

test('--help and sim:help list the scripts that docs/simulator.md describes', async () => {
  const simulator = startSimulator(['--help'])
  await simulator.ended
  const help = simulator.stdout.toString()
  const named = [...help.matchAll(/^ {2}sim:(\S+)/gm)].map(([, name]) => name!)
  const documented = [...readFileSync('docs/simulator.md', 'utf8').matchAll(/^\| `(?:sim:([\w-]+)|default`)/gm)]
  expect(named.length).toBeGreaterThan(20)
  expect(documented.map(([, name = 'default']) => name).sort()).toEqual(named.sort())
  expect(resultOf((await play('sim:help')).frames)['result']).toBe(help)
})

// The messages of the real command line, 2.1.329.
test.each([
  [[...live, '--nonsense'], "error: unknown option '--nonsense'"],
  [['--nonsense=1'], "error: unknown option '--nonsense=1'"],
  [[...live, '--max-turns'], "error: option '--max-turns <turns>' argument missing"],
  [[...live, '--max-turns', 'x'], "error: option '--max-turns <turns>' argument 'x' is invalid. must be a number"],
  [
    [...live, '--max-budget-usd', 'x'],
    "error: option '--max-budget-usd <amount>' argument 'x' is invalid. --max-budget-usd must be a number greater than 0",
  ],
  [
    ['-p', '--output-format', 'xml', 'hi'],
    "error: option '--output-format <format>' argument 'xml' is invalid. Allowed choices are text, json, stream-json.",
  ],
  [
    [...live, '--permission-mode', 'nope'],
    "error: option '--permission-mode <mode>' argument 'nope' is invalid. Allowed choices are acceptEdits, auto, bypassPermissions, manual, dontAsk, plan.",
  ],
  [[...live, '--session-id', 'abc'], 'Error: Invalid session ID. Must be a valid UUID.'],
  [
    [
      ...live,
      '--resume',
      '33333333-3333-4333-8333-333333333339',
      '--session-id',
      '33333333-3333-4333-8333-333333333338',
    ],
    'Error: --session-id with --continue or --resume also needs --fork-session.',
  ],
  [
    ['-p', '--output-format', 'stream-json', 'hi'],
    'Error: When using --print, --output-format=stream-json requires --verbose',
  ],
  [
    ['-p', '--input-format', 'stream-json', 'hi'],
    'Error: --input-format=stream-json requires output-format=stream-json.',
  ],
])('%j is rejected with a plain text error', async (args, words) => {
  const simulator = startSimulator(args)
  expect(await simulator.ended).toEqual({ code: 1, signal: null })
  expect(simulator.stderr).toBe(`${words}\n`)
  expect(simulator.stdout).toHaveLength(0)
})

test('a missing prompt is rejected', async () => {
  const simulator = startSimulator(['-p'])
  simulator.end()
  expect(await simulator.ended).toEqual({ code: 1, signal: null })
  expect(simulator.stderr).toMatch(/^Error: Input must be provided/)
})

test('every option of a muxd session is accepted, with = or a space, lists with several values', async () => {
  const simulator = startSimulator([
    ...live,
    ...['--model=other', '--permission-mode=acceptEdits', '--allowedTools=Bash(git:*)', '--allowedTools=Read'],
    ...['--disallowedTools', 'WebFetch', 'WebSearch', '--append-system-prompt=-be brief', '--max-turns=5'],
    ...['--max-budget-usd=2', '--add-dir', '/a', '/b', '--mcp-config={}', '--settings={}', '--session-id'],
    '11111111-1111-4111-8111-111111111111',
    ...['--replay-user-messages', '--forward-subagent-text'],
  ])
  simulator.prompt('sim:text hi')
  simulator.end()
  expect(await simulator.ended).toEqual({ code: 0, signal: null })
  expect(simulator.frames.find(({ subtype }) => subtype === 'init')).toMatchObject({
    model: 'muxd-simulator:other',
    permissionMode: 'acceptEdits',
    additional_directories: ['/a', '/b'],
    session_id: '11111111-1111-4111-8111-111111111111',
  })
})

test('a prompt can be an argument, after -- also with a leading dash, or text on stdin', async () => {
  const dashed = startSimulator([...oneShot, '--', '-sim:text is no script'])
  await dashed.ended
  expect(dashed.frames.find(isResult)!['result']).toContain('“-sim:text is no script”')
  const piped = startSimulator(oneShot)
  piped.write('sim:text from stdin')
  piped.end()
  await piped.ended
  expect(piped.frames.find(isResult)!['result']).toBe('from stdin')
})

test('limits end a turn with their own subtype and reason', async () => {
  for (const [args, subtype, reason] of [
    [['--max-turns', '2'], 'error_max_turns', 'max_turns'],
    [['--max-budget-usd', '0.0000001'], 'error_max_budget_usd', 'budget_exhausted'],
  ] as const) {
    const { frames, code } = await play('sim:loop', [...live, ...args])
    expect(resultOf(frames)).toMatchObject({ subtype, terminal_reason: reason, is_error: true })
    expect(code).toBe(1)
  }
})

test('without a prompt the simulator prints nothing and exits with 0', async () => {
  const simulator = startSimulator(live)
  simulator.write({ type: 'nonsense' })
  simulator.end()
  expect(await simulator.ended).toEqual({ code: 0, signal: null })
  expect(simulator.stdout).toHaveLength(0)
})
