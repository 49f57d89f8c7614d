import { describe, expect, it } from 'vitest'
import { promptExcerpt, withFirstPrompt } from '../../../daemon/sessions/machine/fold/first-prompt.ts'
import { limits } from '../../../protocol/limits.ts'
import { session } from '../../support/records.ts'

describe('the first prompt of a session', () => {
  it('is stored once and never replaced', () => {
    const first = withFirstPrompt(session('s_1'), '  Fix the login\n')
    expect(first.firstPrompt).toBe('Fix the login')
    expect(withFirstPrompt({ ...first, lastRun: 'r_1' }, 'another').firstPrompt).toBe('Fix the login')
  })

  it('is not taken from a later prompt of a session that was stored without it', () => {
    expect(withFirstPrompt(session('s_1', { lastRun: 'r_1' }), 'the second').firstPrompt).toBeUndefined()
  })

  it('is cut to its limit, between characters', () => {
    const long = promptExcerpt(`${'x'.repeat(limits.maxFirstPrompt - 2)}😀 and more`)
    expect(long).toBe(`${'x'.repeat(limits.maxFirstPrompt - 2)}…`)
    expect(promptExcerpt('x'.repeat(limits.maxFirstPrompt))).toHaveLength(limits.maxFirstPrompt)
  })
})
