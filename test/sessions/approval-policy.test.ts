import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalOptions } from '../../protocol/index.ts'
import { deadlineOf, judge, type Patience } from '../../daemon/sessions/approval-policy.ts'
import { approval as stored } from '../support/records.ts'

const approval = (fields: Partial<Approval> = {}) => stored('a_1', 's_1', fields).approval
const rule = (decision: 'allow' | 'ask' | 'deny') => ({ decision, rule: `${decision} Write` })

describe('what is decided without anybody', () => {
  it.each<[Approval['kind'], ApprovalOptions['policy'], 'allow' | 'ask' | 'deny' | undefined, string | undefined]>([
    ['tool', undefined, undefined, undefined],
    ['tool', 'ask', undefined, undefined],
    ['tool', 'deny', undefined, 'deny by deny'],
    ['tool', undefined, 'allow', 'allow by allow Write'],
    ['tool', 'deny', 'allow', 'allow by allow Write'],
    ['tool', 'ask', 'allow', 'allow by allow Write'],
    ['tool', 'deny', 'ask', undefined],
    ['tool', 'ask', 'deny', 'deny by deny Write'],
    ['question', undefined, 'allow', undefined],
    ['question', 'deny', 'allow', 'deny by deny'],
    ['question', 'ask', 'deny', 'deny by deny Write'],
    ['plan', undefined, 'allow', undefined],
    ['plan', 'deny', undefined, 'deny by deny'],
  ])('%s, policy %s, rule %s: %s', (kind, policy, ruled, expected) => {
    const resolution = judge(approval({ kind }), policy ? { policy } : {}, ruled && rule(ruled))
    const said = resolution && `${resolution.decision} by ${(resolution.by as { policy: string }).policy}`
    expect(said).toBe(expected)
    expect(resolution?.answer?.behavior).toBe(resolution?.decision)
  })
})

describe('a question that somebody is asked', () => {
  const patience = (fields: Partial<Patience>): Patience => ({
    policy: undefined,
    unattendedSince: undefined,
    unattendedMs: 100,
    sleptSince: () => 0,
    ...fields,
  })
  it.each<[string, Partial<Approval>, Partial<Patience>, number | undefined]>([
    ['waits while somebody is connected', {}, {}, undefined],
    ['is denied a while after the last one left', {}, { unattendedSince: 1_000 }, 1_100],
    [
      'is denied a while after it came when nobody was there',
      { requestedAt: 5_000 },
      { unattendedSince: 1_000 },
      5_100,
    ],
    ['is denied later by as much as the machine slept', {}, { unattendedSince: 1_000, sleptSince: () => 5_000 }, 6_100],
    ['expires at its time, whether the machine slept or not', { expiresAt: 700 }, { sleptSince: () => 5_000 }, 700],
    ['waits for ever where that is configured', {}, { unattendedSince: 1_000, unattendedMs: 0 }, undefined],
    ['waits for ever where the session asks', {}, { unattendedSince: 1_000, policy: 'ask' }, undefined],
    ['expires', { expiresAt: 700 }, {}, 700],
    ['expires before it is denied', { expiresAt: 1_050 }, { unattendedSince: 1_000 }, 1_050],
    ['is denied before it expires', { expiresAt: 1_200 }, { unattendedSince: 1_000 }, 1_100],
    ['expires also where the session asks', { expiresAt: 1_200 }, { unattendedSince: 1_000, policy: 'ask' }, 1_200],
  ])('%s', (_title, fields, given, at) => {
    const deadline = deadlineOf(approval(fields), patience(given))
    expect(deadline?.at).toBe(at)
    if (deadline) expect(deadline.resolution.decision).toBe(at === fields.expiresAt ? 'expired' : 'deny')
  })
})
