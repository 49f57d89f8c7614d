import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Viewer, Viewers } from '../../protocol/index.ts'
import { createPresence } from '../../daemon/topics/presence.ts'

/** Creates presence over a table of viewers, with a clock that the test moves. */
function presenceForTest(limits: Partial<Parameters<typeof createPresence>[0]['limits']> = {}) {
  vi.useFakeTimers()
  const watching = new Map<string, Viewer[]>()
  const gone = new Set<string>()
  const told: ({ session: string } & Viewers)[] = []
  const presence = createPresence({
    watching: topic => watching.get(topic) ?? [],
    exists: session => !gone.has(session),
    publish: ({ type: _, ...record }) => void told.push(record),
    limits: { viewersEveryMs: 250, viewersAtOnce: 16, maxViewersShown: 100, ...limits },
  })
  onTestFinished(() => {
    presence.close()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
  const watch = (session: string, ...viewers: Viewer[]) => {
    watching.set(`session/${session}`, viewers)
    presence.changed(`session/${session}`)
  }
  return { presence, told, watch, gone, pass: () => vi.advanceTimersByTime(250) }
}

const viewer = (client: string, since: number, role: Viewer['role'] = 'control'): Viewer => ({
  client: `c_${client}`,
  name: client,
  role,
  since,
})

describe('the viewers of a session', () => {
  it('are listed once for each client, longest first, with the strongest role', () => {
    const { presence, watch } = presenceForTest()
    watch('s_1', viewer('b', 5), viewer('a', 3), viewer('b', 2, 'observe'), viewer('b', 9, 'observe'))
    expect(presence.viewers('s_1')).toEqual({ viewers: [viewer('b', 2), viewer('a', 3)], more: 0 })
    expect(presence.viewers('s_2')).toEqual({ viewers: [], more: 0 })
  })

  it('are listed up to maxViewersShown, with the number of the others', () => {
    const { presence, watch } = presenceForTest({ maxViewersShown: 2 })
    watch('s_1', viewer('a', 1), viewer('b', 2), viewer('c', 3))
    expect(presence.viewers('s_1')).toEqual({ viewers: [viewer('a', 1), viewer('b', 2)], more: 1 })
  })
})

describe('viewer changes', () => {
  it('are published after a delay: only the last state, and nothing if it is the published one', () => {
    const { told, watch, pass } = presenceForTest()
    watch('s_1', viewer('a', 1))
    watch('s_1', viewer('a', 1), viewer('b', 2))
    expect(told).toEqual([])
    pass()
    expect(told).toEqual([{ session: 's_1', viewers: [viewer('a', 1), viewer('b', 2)], more: 0 }])
    watch('s_1', viewer('a', 1))
    watch('s_1', viewer('a', 1), viewer('b', 2))
    pass()
    expect(told).toHaveLength(1)
    watch('s_1')
    pass()
    expect(told.slice(1)).toEqual([{ session: 's_1', viewers: [], more: 0 }])
  })

  it('are not published for a viewer who came and left within the delay', () => {
    const { told, watch, pass } = presenceForTest()
    watch('s_1', viewer('a', 1))
    watch('s_1')
    pass()
    expect(told).toEqual([])
  })

  it('of many sessions are published viewersAtOnce at a time, each in its latest state', () => {
    const { told, watch, pass } = presenceForTest({ viewersAtOnce: 2 })
    for (let session = 1; session <= 5; session++) watch(`s_${session}`, viewer('a', session))
    pass()
    expect(told.map(({ session }) => session)).toEqual(['s_1', 's_2'])
    watch('s_1')
    watch('s_5', viewer('b', 6))
    pass()
    pass()
    expect(told.slice(2)).toEqual([
      { session: 's_3', viewers: [viewer('a', 3)], more: 0 },
      { session: 's_4', viewers: [viewer('a', 4)], more: 0 },
      { session: 's_5', viewers: [viewer('b', 6)], more: 0 },
      { session: 's_1', viewers: [], more: 0 },
    ])
  })

  it('are not published for a deleted session or another topic', () => {
    const { presence, told, watch, gone, pass } = presenceForTest()
    watch('s_1', viewer('a', 1))
    pass()
    gone.add('s_1')
    watch('s_1')
    presence.changed('sessions')
    presence.changed('session/s_2/frames')
    pass()
    expect(told).toHaveLength(1)
  })
})
