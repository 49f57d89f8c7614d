import { describe, expect, it } from 'vitest'
import { createAdmission } from '../../daemon/sessions/admission.ts'

describe('admission', () => {
  it('admits up to its number at once and the others in the order they came', () => {
    const admission = createAdmission(2)
    const admitted: string[] = []
    const leave = ['a', 'b', 'c', 'd'].map(name => admission.request(() => admitted.push(name)))
    expect(admitted).toEqual(['a', 'b'])
    leave[1]?.()
    expect(admitted).toEqual(['a', 'b', 'c'])
    leave[0]?.()
    expect(admitted).toEqual(['a', 'b', 'c', 'd'])
  })

  it('gives a place back once, however often it is given back', () => {
    const admission = createAdmission(1)
    const leave = admission.request(() => {})
    leave()
    leave()
    expect(admission.active).toBe(0)
  })

  it('forgets a request that was withdrawn while it waited', () => {
    const admission = createAdmission(1)
    const admitted: string[] = []
    const leaveFirst = admission.request(() => admitted.push('first'))
    const withdraw = admission.request(() => admitted.push('withdrawn'))
    admission.request(() => admitted.push('last'))
    withdraw()
    leaveFirst()
    expect(admitted).toEqual(['first', 'last'])
  })
})
