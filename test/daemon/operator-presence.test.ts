import { expect, it } from 'vitest'
import { createOperatorPresence } from '../../daemon/sessions/operator-presence.ts'

it('emptySince is undefined from the first enter until the last leave, and listeners get both changes', () => {
  let now = 10
  const operatorPresence = createOperatorPresence(() => now)
  const changes: (number | undefined)[] = []
  const leave = operatorPresence.onChange(() => changes.push(operatorPresence.emptySince))
  expect(operatorPresence.emptySince).toBe(10)
  const [first, second] = [operatorPresence.enter(), operatorPresence.enter()]
  now = 20
  first()
  first()
  expect(operatorPresence.emptySince).toBeUndefined()
  second()
  expect(changes).toEqual([undefined, 20])
  leave()
  operatorPresence.enter()
  expect(changes).toHaveLength(2)
})
