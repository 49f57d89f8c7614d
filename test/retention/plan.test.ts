import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { planRetention, type RetentionFacts, type RetentionPolicy } from '../../daemon/retention/plan.ts'

const now = 1_000 * 24 * 60 * 60_000
const hour = 60 * 60_000
const day = 24 * hour

const processFacts = fc.record({
  process: fc.constant(''),
  raw: fc.constantFrom('kept' as const, 'dropped' as const),
  endedAt: fc.oneof(fc.constant(null), fc.integer({ min: now - 60 * day, max: now })),
  bytes: fc.nat(10_000),
})
const sessionFacts = fc.record({
  session: fc.constant(''),
  // A change of the record, such as an idle close, does not count as a use.
  updatedAt: fc.constant(now),
  usedAt: fc.integer({ min: now - 60 * day, max: now }),
  events: fc.nat(100),
  eventBytes: fc.nat(100_000),
  processes: fc.array(processFacts, { maxLength: 3 }),
})
const facts: fc.Arbitrary<RetentionFacts> = fc
  .record({ sessions: fc.array(sessionFacts, { maxLength: 12 }), others: fc.nat(300_000) })
  .map(({ sessions, others }) => {
    const named = sessions.map((session, index) => ({
      ...session,
      session: `s_${index}`,
      processes: session.processes.map((process, at) => ({ ...process, process: `p_${index}_${at}` })),
    }))
    return { sessions: named, totalBytes: others + named.reduce((sum, session) => sum + bytesOf(session), 0) }
  })
const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
  keepSessionsMs: fc.constantFrom(0, 10 * day, 30 * day),
  keepTotalBytes: fc.constantFrom(0, 100_000, 400_000, 10_000_000),
  rawLogs: fc.constantFrom('keep' as const, 'drop' as const),
  rawLogAfterMs: fc.constantFrom(0, day, 20 * day),
})

const bytesOf = ({ eventBytes, processes }: RetentionFacts['sessions'][number]) =>
  eventBytes + processes.reduce((sum, { bytes }) => sum + bytes, 0)

test('sessions unused for longer than keepSessionsMs are deleted for age, none without a limit', () => {
  fc.assert(
    fc.property(facts, policy, (given, rules) => {
      const plan = planRetention(given, rules, now)
      const old = given.sessions.filter(({ usedAt }) => now - usedAt > rules.keepSessionsMs)
      const expected = rules.keepSessionsMs === 0 ? [] : old.map(({ session }) => session).toSorted()
      const planned = plan.sessions.filter(({ reason }) => reason === 'age')
      expect(planned.map(({ session }) => session).toSorted()).toEqual(expected)
    }),
  )
})

test('for size, the longest unused sessions go first, no more than needed, none used within the hour', () => {
  fc.assert(
    fc.property(facts, policy, (given, rules) => {
      const plan = planRetention(given, rules, now)
      const bySize = plan.sessions.filter(({ reason }) => reason === 'size')
      const gone = new Set(plan.sessions.map(({ session }) => session))
      if (rules.keepTotalBytes === 0) {
        expect(bySize).toEqual([])
        return
      }
      const freed = plan.rawLogs.reduce((sum, { bytes }) => sum + bytes, 0)
      const left = given.totalBytes - freed - plan.sessions.reduce((sum, { bytes }) => sum + bytes, 0)
      const eligible = given.sessions.filter(({ session, usedAt }) => !gone.has(session) && now - usedAt > hour)
      // The plan frees enough if enough may go, and no session more than necessary.
      if (eligible.length > 0) expect(left).toBeLessThanOrEqual(rules.keepTotalBytes)
      const last = bySize.at(-1)
      if (last) expect(left + last.bytes).toBeGreaterThan(rules.keepTotalBytes)
      for (const { session } of bySize) {
        const { usedAt } = given.sessions.find(one => one.session === session)!
        expect(now - usedAt).toBeGreaterThan(hour)
        for (const kept of eligible) expect(usedAt).toBeLessThanOrEqual(kept.usedAt)
      }
      // Sessions go for size only when no more raw logs may be dropped.
      const dropped = new Set(plan.rawLogs.map(({ process }) => process))
      const kept = given.sessions.filter(
        ({ session }) => !plan.sessions.some(one => one.session === session && one.reason === 'age'),
      )
      const droppable = kept
        .flatMap(({ processes }) => processes)
        .filter(({ endedAt, bytes }) => endedAt !== null && bytes > 0)
      if (last) expect(droppable.filter(({ process }) => !dropped.has(process))).toEqual([])
    }),
  )
})

test('raw logs go for age if configured, for size oldest first, and never those of live processes', () => {
  fc.assert(
    fc.property(facts, policy, (given, rules) => {
      const { rawLogs, sessions } = planRetention(given, rules, now)
      expect(new Set(rawLogs.map(({ process }) => process)).size).toBe(rawLogs.length)
      const tooOld = new Set(sessions.filter(({ reason }) => reason === 'age').map(({ session }) => session))
      const bySize: number[] = []
      for (const { session, process, reason, bytes } of rawLogs) {
        const owner = given.sessions.find(one => one.session === session)!
        const of = owner.processes.find(one => one.process === process)!
        expect(tooOld.has(session)).toBe(false)
        expect(of.endedAt).not.toBeNull()
        expect(bytes).toBe(of.bytes)
        expect(bytes).toBeGreaterThan(0)
        if (reason === 'size') bySize.push(of.endedAt!)
        else if (of.raw === 'kept') {
          expect(rules.rawLogs).toBe('drop')
          expect(now - owner.usedAt).toBeGreaterThan(rules.rawLogAfterMs)
        }
      }
      expect(bySize).toEqual(bySize.toSorted((one, other) => one - other))
      const last = rawLogs.findLast(({ reason }) => reason === 'size')
      if (!last) return
      const freed = [...rawLogs, ...sessions.filter(({ reason }) => reason === 'age')].reduce(
        (sum, { bytes }) => sum + bytes,
        0,
      )
      expect(given.totalBytes - freed + last.bytes).toBeGreaterThan(rules.keepTotalBytes)
    }),
  )
})
