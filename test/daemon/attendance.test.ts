import { expect, it } from 'vitest'
import { createAttendance } from '../../daemon/sessions/operator-presence.ts'

it('emptySince is undefined from the first enter until the last leave, and listeners get both changes', () => {
  let now = 10
  const attendance = createAttendance(() => now)
  const changes: (number | undefined)[] = []
  const leave = attendance.onChange(() => changes.push(attendance.emptySince))
  expect(attendance.emptySince).toBe(10)
  const [first, second] = [attendance.enter(), attendance.enter()]
  now = 20
  first()
  first()
  expect(attendance.emptySince).toBeUndefined()
  second()
  expect(changes).toEqual([undefined, 20])
  leave()
  attendance.enter()
  expect(changes).toHaveLength(2)
})
