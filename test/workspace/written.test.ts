import { describe, expect, it } from 'vitest'
import { labelLines, labelsOf } from '../../client/workspace/app/dialogs/labels.ts'
import { limits } from '../../client/workspace/conversation/model/labels.ts'
import { withDraft } from '../../client/workspace/drafts.ts'

describe('a draft', () => {
  it('is kept for each session, the latest last, until it is empty', () => {
    let drafts = withDraft([], 's_1', 'one')
    drafts = withDraft(drafts, 's_2', 'two')
    drafts = withDraft(drafts, 's_1', 'one more')
    expect(drafts).toEqual([
      ['s_2', 'two'],
      ['s_1', 'one more'],
    ])
    expect(withDraft(drafts, 's_2', '')).toEqual([['s_1', 'one more']])
  })

  it('is dropped, oldest first, when all exceed the limit, and is not kept when it alone does', () => {
    const long = 'x'.repeat(90_000)
    const drafts = ['s_1', 's_2', 's_3'].reduce(
      (before, session) => withDraft(before, session, long),
      withDraft([], 's_0', 'x'),
    )
    expect(drafts.map(([session]) => session)).toEqual(['s_2', 's_3'])
    expect(withDraft(drafts, 's_4', 'x'.repeat(1_000_000))).toEqual(drafts)
  })
})

describe('labels', () => {
  it('are written one a line, with or without a value', () => {
    const labels = { team: 'core', urgent: '', query: 'a=b' }
    expect(labelsOf(labelLines(labels))).toEqual(labels)
    expect(labelsOf(' team = core \n\n=x\nurgent')).toEqual({ team: 'core', urgent: '' })
  })
})

describe('the limits of a run', () => {
  it('are a short text, empty without limits', () => {
    expect(limits({ limits: { timeoutMs: 600_000, inactivityMs: 30_000, maxTurns: 1, maxBudgetUsd: 2 } })).toBe(
      'at most 10 min, 30 s of silence, 1 turn, $2.00',
    )
    expect(limits({})).toBe('')
  })
})
