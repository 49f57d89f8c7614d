import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { type Direct, startDirect } from './support/direct.ts'

// Measures, without muxd, what muxd relies on in Claude Code's `apply_flag_settings`.

vi.setConfig({ testTimeout: 120_000 })

let claude: Direct | undefined
afterEach(async () => {
  await claude?.close()
  claude = undefined
})

interface Permissions {
  allow?: string[]
  ask?: string[]
  deny?: string[]
}

const open = async (settings?: Permissions) => {
  const args = settings ? [`--settings=${JSON.stringify({ permissions: settings })}`] : []
  claude = await startDirect(args, ({ cwd }) => mkdirSync(join(cwd, 'w')))
  return claude
}
const apply = async (at: Direct, { allow = [], ask = [], deny = [] }: Permissions) => {
  const answer = await at.ask({ subtype: 'apply_flag_settings', settings: { permissions: { allow, ask, deny } } })
  expect(answer['subtype']).toBe('success')
}
const touch = { command: 'touch touched', description: 'Touch' }
const write = (at: Direct) => ({ file_path: join(at.cwd, 'w/file.txt'), content: 'text' })
const isAskedByRule = (asked: Record<string, unknown> | undefined) =>
  asked?.['decision_reason_type'] === 'rule' || asked?.['matched_ask_rule'] !== undefined

test('rules apply from the first prompt on, and each request replaces the earlier rules, also with none', async () => {
  const at = await open()
  await apply(at, { deny: ['Bash(touch *)'] })
  expect(await at.use('Bash', touch)).toMatchObject({ asked: undefined, isError: true })
  await apply(at, { allow: ['Bash(touch *)'] })
  expect(await at.use('Bash', touch)).toMatchObject({ asked: undefined, isError: false })
  await apply(at, { allow: ['Bash'], ask: ['Bash(touch *)'] })
  expect(isAskedByRule((await at.use('Bash', touch)).asked)).toBe(true)
  await apply(at, { ask: ['Bash'] })
  expect(isAskedByRule((await at.use('Bash', touch)).asked)).toBe(true)
  await apply(at, {})
  const { asked } = await at.use('Bash', touch)
  expect(asked).toBeDefined()
  expect(isAskedByRule(asked)).toBe(false)
})

test('rules of --settings stay when other rules are applied', async () => {
  const at = await open({ deny: ['Bash(touch *)'] })
  await apply(at, { deny: ['WebFetch'] })
  expect(await at.use('Bash', touch)).toMatchObject({ asked: undefined, isError: true })
  await apply(at, {})
  expect(await at.use('Bash', touch)).toMatchObject({ asked: undefined, isError: true })
})

test.each(['Write(w/**)', 'Edit(w/**', 'edit', 'Edit()', 'Edit({w,x}/**)', 'Edit(!w/**)'])(
  'a deny rule that Claude Code does not understand is ignored: %s',
  async rule => {
    const at = await open()
    await apply(at, { deny: [rule] })
    expect((await at.use('Write', write(at))).asked).toBeDefined()
  },
)

test('a deny rule with an absolute path applies', async () => {
  const at = await open()
  await apply(at, { deny: [`Edit(/${at.cwd}/w/**)`] })
  expect(await at.use('Write', write(at))).toMatchObject({ asked: undefined, isError: true })
})

test('a question stays open when a deny rule for its tool is applied', async () => {
  const at = await open()
  const used = at.use('Bash', touch, { decision: 'allow', before: () => apply(at, { deny: ['Bash'] }) })
  expect((await used).asked).toBeDefined()
  expect(existsSync(join(at.cwd, 'touched'))).toBe(!(await used).isError)
})
