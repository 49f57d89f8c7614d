import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Approval, ApprovalAnswer, ApprovalOptions } from '../../protocol/index.ts'
import { until } from '../support/until.ts'
import { testAfter } from './support/newer-than.ts'
import { startSuite, waitOptions, type Mux, type Suite } from './support/suite.ts'
import { ofType, one, play, watch } from './support/watch.ts'

let suite: Suite
beforeAll(async () => {
  suite = await startSuite()
})
afterAll(() => suite.close())

const file = (name: string) => join(suite.cwd, name)
const run = async (prompt: string, approvals?: ApprovalOptions) =>
  watch(await suite.mux.run({ prompt, cwd: suite.cwd, ...(approvals && { approvals }) }))
/** Resolves with the only pending approval, which is not `after`. */
const pending = (after?: Approval) =>
  until(async () => {
    const { approvals } = await suite.mux.api.approval.list({})
    expect(approvals).toHaveLength(1)
    expect(approvals[0]!.approval).not.toBe(after?.approval)
    return approvals[0]!
  }, waitOptions)
const answer = ({ approval }: Approval, given: Omit<ApprovalAnswer, 'approval'>, mux: Mux = suite.mux) =>
  mux.api.approval.answer({ approval, ...given })
const allow = { decision: 'allow' } as const
const deny = { decision: 'deny' } as const

describe('a tool that needs a permission', () => {
  test('waits for it, and runs when it is allowed', async () => {
    const writing = await run(`scn:write:${file('allowed.txt')}`)
    const approval = await pending()
    expect(approval).toMatchObject({ kind: 'tool', tool: 'Write', input: { file_path: file('allowed.txt') } })
    expect(await suite.mux.api.session.get({ session: approval.session })).toMatchObject({ state: 'waiting' })
    expect(existsSync(file('allowed.txt'))).toBe(false)
    await answer(approval, allow)
    const events = await writing.ended()
    expect(one(events, 'done').response).toBe('It is written.')
    expect(one(events, 'approval_requested').toolUseId).toBe(one(events, 'tool_use').toolUseId)
    expect(readFileSync(file('allowed.txt'), 'utf8')).toBe('text')
  })

  test('does not run when it is denied, and Claude gets the reason', async () => {
    const writing = await run(`scn:write:${file('denied.txt')}`)
    await answer(await pending(), { ...deny, message: 'not in this directory' })
    const events = await writing.ended()
    expect(one(events, 'tool_result')).toMatchObject({ isError: true, output: 'not in this directory' })
    expect(one(events, 'done').response).toBe('It was not allowed.')
    expect(existsSync(file('denied.txt'))).toBe(false)
  })

  test('denied with interrupt cancels the run', async () => {
    const writing = await run(`scn:write:${file('stopped.txt')}`)
    await answer(await pending(), { ...deny, interrupt: true })
    expect((await writing.ended()).at(-1)!.type).toBe('cancelled')
    expect(existsSync(file('stopped.txt'))).toBe(false)
  })

  test('runs with the input of the answer', async () => {
    const writing = await run(`scn:write:${file('asked-for.txt')}`)
    const input = { file_path: file('instead.txt'), content: 'other words' }
    await answer(await pending(), { ...allow, input })
    expect(one(await writing.ended(), 'approval_resolved')).toMatchObject({ input })
    expect(readFileSync(file('instead.txt'), 'utf8')).toBe('other words')
    expect(existsSync(file('asked-for.txt'))).toBe(false)
  })

  test('needs no second approval in its session after remember, but does in another session', async () => {
    const first = await run('scn:touch:remembered')
    const approval = await pending()
    expect(approval.suggestions).toMatchObject([{ type: 'addRules', destination: 'localSettings' }, {}, {}])
    await answer(approval, { ...allow, remember: true })
    expect(one(await first.ended(), 'done').response).toBe('Touched.')
    const again = await play(suite.mux, { prompt: 'scn:touch:remembered', session: approval.session })
    expect(one(again, 'done').response).toBe('Touched.')
    expect(ofType(again, 'approval_requested')).toEqual([])
    expect(existsSync(file('.claude'))).toBe(false)
    const other = await run('scn:touch:remembered')
    await answer(await pending(), deny)
    await other.ended()
  })

  test('gets an approval for each of several calls, one after the other', async () => {
    const both = await run('scn:touch-both')
    const first = await pending()
    await answer(first, allow)
    await answer(await pending(first), deny)
    const events = await both.ended()
    expect(ofType(events, 'tool_result').map(({ isError }) => isError)).toEqual([false, true])
    expect(ofType(events, 'approval_resolved').map(({ decision }) => decision)).toEqual(['allow', 'deny'])
  })

  test('of a sub-agent has an approval that names the parent call', async () => {
    const agent = await run('scn:asking-agent:foreground')
    const approval = await pending()
    const call = await agent.until('tool_use', event => event.tool === 'Agent')
    expect(approval).toMatchObject({ parent: call.toolUseId, run: agent.run.id, tool: 'Bash' })
    await answer(approval, allow)
    expect(one(await agent.ended(), 'done').response).toBe('The agent reported back.')
  })

  testAfter('2.1.197', 'it does not list background tasks')(
    'of a background agent has an approval that outlives the run',
    async () => {
      const agent = await run('scn:asking-agent:background')
      expect(one(await agent.ended(), 'done').response).toBe('The agent reported back.')
      const approval = await pending()
      expect(approval).toMatchObject({ run: null, tool: 'Bash' })
      await answer(approval, allow)
      await until(async () => {
        const { runs } = await suite.mux.api.run.list({ session: approval.session })
        expect(runs[0]).toMatchObject({ origin: { background: {} }, state: 'done' })
      }, waitOptions)
    },
  )
})

describe('a question with options', () => {
  test('takes answers keyed by the text of the question, with several labels joined', async () => {
    const asking = await run('scn:ask')
    const approval = await pending()
    expect(approval.kind).toBe('question')
    await answer(approval, { ...allow, answers: { 'Which colour?': 'Blue', 'Which sizes?': ['S', 'L'] } })
    const { output } = one(await asking.ended(), 'tool_result')
    expect(output).toContain('"Which colour?"="Blue", "Which sizes?"="S, L"')
  })

  test('takes a free-text answer, and can be denied with a message', async () => {
    const asking = await run('scn:ask')
    await answer(await pending(), { ...allow, answers: { 'Which colour?': 'none of these' } })
    expect(one(await asking.ended(), 'tool_result').output).toContain('"Which colour?"="none of these"')
    const other = await run('scn:ask')
    await answer(await pending(), { ...deny, message: 'ask me later' })
    expect(one(await other.ended(), 'tool_result').output).toBe('ask me later')
  })
})

test('a plan is approved, and Claude Code leaves plan mode', async () => {
  const planning = watch(
    await suite.mux.run({ prompt: 'scn:plan', cwd: suite.cwd, options: { permissionMode: 'plan' } }),
  )
  const approval = await pending()
  expect(approval).toMatchObject({ kind: 'plan', input: { plan: 'First this, then that.' } })
  await answer(approval, allow)
  const events = await planning.ended()
  expect(ofType(events, 'tool_result').at(-1)!.output).toContain('approved your plan')
  expect(ofType(events, 'status').map(({ permissionMode }) => permissionMode)).toContain('default')
})

test('a cancel during a pending approval withdraws the approval', async () => {
  const writing = await run(`scn:write:${file('cancelled.txt')}`)
  const approval = await pending()
  await writing.run.cancel('enough')
  const events = await writing.ended()
  expect(one(events, 'approval_resolved')).toMatchObject({
    decision: 'withdrawn',
    by: { client: expect.any(String) as string },
  })
  expect(events.at(-1)!.type).toBe('cancelled')
  await expect(answer(approval, allow)).rejects.toMatchObject({ kind: 'conflict' })
  const next = await play(suite.mux, { prompt: 'scn:text:next', session: approval.session })
  expect(one(next, 'done').response).toContain('next')
  expect(existsSync(file('cancelled.txt'))).toBe(false)
})

test('the first answer to an approval counts, and a later client gets a conflict that names its author', async () => {
  const [second, third] = [await suite.connect(), await suite.connect()]
  const writing = await run(`scn:write:${file('by-the-second.txt')}`)
  const approval = await pending()
  const { by } = await answer(approval, allow, second)
  await expect(answer(approval, deny, third)).rejects.toMatchObject({
    kind: 'conflict',
    data: { by, decision: 'allow' },
  })
  expect(one(await writing.ended(), 'approval_resolved').by).toEqual(by)
  expect(existsSync(file('by-the-second.txt'))).toBe(true)
})

test('a pending approval survives a kill of the daemon and can be answered', async () => {
  const writing = await run(`scn:write:${file('over-a-kill.txt')}`)
  const approval = await pending()
  await suite.kill()
  expect(await pending()).toEqual(approval)
  const after = watch(suite.mux.attach(writing.run.id))
  await answer(approval, allow)
  const events = await after.ended()
  expect(one(events, 'done').response).toBe('It is written.')
  expect(ofType(events, 'log_damaged')).toEqual([])
  expect(one(events, 'approval_requested').approval).toBe(approval.approval)
  expect(existsSync(file('over-a-kill.txt'))).toBe(true)
})

describe('an approval without an answer', () => {
  const decided = async (name: string, approvals: ApprovalOptions) => {
    const events = await (await run(`scn:write:${file(name)}`, approvals)).ended()
    return { ...one(events, 'approval_resolved'), written: existsSync(file(name)) }
  }

  test('expires after expiresAfterMs', async () => {
    expect(await decided('expired.txt', { expiresAfterMs: 200 })).toMatchObject({ decision: 'expired', written: false })
  })
  test('is denied under policy deny', async () => {
    const denied = { decision: 'deny', by: { policy: 'deny' }, written: false }
    expect(await decided('denied-by-policy.txt', { policy: 'deny' })).toMatchObject(denied)
  })
})
