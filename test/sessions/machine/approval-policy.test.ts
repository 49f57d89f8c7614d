import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalOptions } from '../../../protocol/index.ts'
import { parsePermissionRules, ruleNaming } from '../../../daemon/agents/claude/permissions/permission-rules.ts'
import { deadlineOf, judge, type DeadlineTerms } from '../../../daemon/sessions/machine/decide/approval-policy.ts'
import { approval as stored } from '../../support/records.ts'

const approval = (fields: Partial<Approval> = {}) => stored('a_1', 's_1', fields).approval

describe('judge decides without a client', () => {
  it.each<[string, Partial<Approval>, ApprovalOptions['policy'], string[], string | undefined]>([
    ['nothing without a policy', {}, undefined, [], undefined],
    ['nothing under policy ask', {}, 'ask', [], undefined],
    ['a tool under policy deny', {}, 'deny', [], 'deny'],
    ['a question under policy deny', { kind: 'question' }, 'deny', [], 'deny'],
    ['a plan under policy deny', { kind: 'plan' }, 'deny', [], 'deny'],
    ['nothing that a rule asks about', { decisionReasonType: 'rule' }, 'deny', [], undefined],
    ['nothing that names its ask rule', { askRule: 'Bash(rm *)' }, 'deny', [], undefined],
    ['a tool that only a hook asks about', { decisionReasonType: 'hook' }, 'deny', [], 'deny'],
    ['a tool that a rule denies by name', {}, 'ask', ['deny Write'], 'deny Write'],
    ['a tool that an Edit rule denies', {}, undefined, ['deny Edit'], 'deny Edit'],
    ['a tool that is denied and asked about', { decisionReasonType: 'rule' }, 'ask', ['deny Write'], 'deny Write'],
    ['a tool of a denied server', { tool: 'mcp__a__b' }, 'ask', ['deny mcp__a'], 'deny mcp__a'],
    ['a tool of a server denied with a wildcard', { tool: 'mcp__a__b' }, 'ask', ['deny mcp__a__*'], 'deny mcp__a__*'],
    ['no tool of another server', { tool: 'mcp__ab__b' }, 'ask', ['deny mcp__a'], undefined],
    ['no tool that a rule denies by a pattern', {}, undefined, ['deny Write(x)'], undefined],
    ['a tool under policy deny although a rule allows it', {}, 'deny', ['allow Write'], 'deny'],
  ])('%s', (_title, fields, policy, texts, by) => {
    const rules = parsePermissionRules(texts, '/work')
    const asked = approval({ tool: 'Write', ...fields })
    const resolution = judge(asked, policy ? { policy } : {}, ruleNaming(rules, 'deny', asked.tool)?.text)
    expect(resolution?.by).toEqual(by === undefined ? undefined : { policy: by })
    expect(resolution?.answer?.behavior).toBe(by === undefined ? undefined : 'deny')
  })
})

describe('an approval that a client is asked for', () => {
  const patience = (fields: Partial<DeadlineTerms>): DeadlineTerms => ({
    policy: undefined,
    unattendedSince: undefined,
    unattendedMs: 100,
    sleptSince: () => 0,
    ...fields,
  })
  it.each<[string, Partial<Approval>, Partial<DeadlineTerms>, number | undefined]>([
    ['waits while a client is connected', {}, {}, undefined],
    ['is denied unattendedMs after the last client left', {}, { unattendedSince: 1_000 }, 1_100],
    [
      'is denied unattendedMs after its request if no client was connected',
      { requestedAt: 5_000 },
      { unattendedSince: 1_000 },
      5_100,
    ],
    ['is denied later by as much as the machine slept', {}, { unattendedSince: 1_000, sleptSince: () => 5_000 }, 6_100],
    ['expires at its time, whether the machine slept or not', { expiresAt: 700 }, { sleptSince: () => 5_000 }, 700],
    ['waits forever with unattendedMs 0', {}, { unattendedSince: 1_000, unattendedMs: 0 }, undefined],
    ['waits forever with policy ask', {}, { unattendedSince: 1_000, policy: 'ask' }, undefined],
    ['expires at expiresAt', { expiresAt: 700 }, {}, 700],
    ['expires before it would be denied', { expiresAt: 1_050 }, { unattendedSince: 1_000 }, 1_050],
    ['is denied before it would expire', { expiresAt: 1_200 }, { unattendedSince: 1_000 }, 1_100],
    ['expires also with policy ask', { expiresAt: 1_200 }, { unattendedSince: 1_000, policy: 'ask' }, 1_200],
  ])('%s', (_title, fields, given, at) => {
    const deadline = deadlineOf(approval(fields), patience(given))
    expect(deadline?.at).toBe(at)
    if (deadline) expect(deadline.resolution.decision).toBe(at === fields.expiresAt ? 'expired' : 'deny')
  })
})
