import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromDockview, toDockview } from '../../client/workspace/layout/dockview-layout.ts'
import { withBlock, withoutBlock } from '../../client/workspace/layout/edit-layout.ts'
import {
  emptyLayout,
  firstLayout,
  groupsOf,
  isSameLayout,
  type Layout,
  parseLayout,
} from '../../client/workspace/layout/layout.ts'
import { isBlockId } from '../../client/workspace/panes/registry.ts'

const group = (share: number, ...tabs: string[]) => ({ share, tabs, shown: tabs[0]! })
const layoutOf = (root: unknown): Layout => parseLayout({ version: 1, root }, isBlockId)

/** Layouts of any shape with sessions as blocks, as any client may have stored them. */
const anyLayout = fc
  .letrec(tie => ({
    place: fc.oneof({ depthSize: 'small' }, tie('tabs'), tie('split')),
    tabs: fc.record({
      share: fc.double({ min: 0.05, max: 1, noNaN: true }),
      tabs: fc.array(
        fc.integer({ min: 0, max: 30 }).map(number => `session/s_${number}`),
        { maxLength: 3 },
      ),
      shown: fc.constant('session/s_1'),
    }),
    split: fc.record({
      share: fc.double({ min: 0.05, max: 1, noNaN: true }),
      split: fc.constantFrom('row', 'column'),
      places: fc.array(tie('place'), { maxLength: 3 }),
    }),
  }))
  .place.map(layoutOf)

describe('a layout', () => {
  it('has one normal form, however it was stored', () => {
    const row = { share: 1, split: 'row' as const, places: [group(0.5, 'sessions'), group(0.5, 'usage')] }
    const cases: [unknown, Layout['root']][] = [
      [null, null],
      [{ tabs: [] }, null],
      [group(0.3, 'sessions'), group(1, 'sessions')],
      // A row of one place is that place. A row within a row is part of the outer row.
      [{ split: 'row', places: [group(0.2, 'usage')] }, group(1, 'usage')],
      [row, row],
      [
        { split: 'row', places: [{ share: 0.5, split: 'row', places: row.places }, group(0.5, 'daemon')] },
        { share: 1, split: 'row', places: [group(0.25, 'sessions'), group(0.25, 'usage'), group(0.5, 'daemon')] },
      ],
      // Unknown and repeated tabs are dropped.
      [{ share: 1, tabs: ['x', 'usage', 'usage', 3, 'session/<b>'], shown: 'x' }, group(1, 'usage')],
      [{ split: 'column', places: [group(1, 'usage'), group(1, 'usage')] }, group(1, 'usage')],
    ]
    for (const [stored, root] of cases) expect(layoutOf(stored), JSON.stringify(stored)).toEqual({ version: 1, root })
  })

  it('keeps a share for each place, however small it was', () => {
    const root = layoutOf({ split: 'row', places: [group(0.0004, 'usage'), group(1, 'sessions')] }).root
    expect(groupsOf(root).map(({ share }) => share)).toEqual([0.001, 1])
    expect(layoutOf(root).root).toEqual(layoutOf(layoutOf(root).root).root)
    expect(groupsOf(layoutOf(root).root)[0]!.share).toBe(0.001)
  })

  it('is rejected without a known version', () => {
    for (const stored of [null, undefined, 'x', {}, { version: 2 }])
      expect(() => parseLayout(stored, isBlockId)).toThrow('version')
  })

  it('survives a round trip through dockview at any width of the window', () => {
    fc.assert(
      fc.property(anyLayout, fc.integer({ min: 900, max: 3_000 }), (layout, width) => {
        const again = fromDockview(toDockview(layout, { width, height: 900 }, id => id))
        expect(groupsOf(again.root).map(({ tabs }) => tabs)).toEqual(groupsOf(layout.root).map(({ tabs }) => tabs))
        // Rounding matters too much for a place of a few pixels.
        const smallest = Math.min(1, ...groupsOf(layout.root).map(({ share }) => share))
        if (smallest > 0.1) expect(isSameLayout(again, layout), JSON.stringify([again, layout])).toBe(true)
      }),
    )
  })

  it('opens a block once and shows it, and closing it restores the tabs', () => {
    fc.assert(
      fc.property(anyLayout, layout => {
        const open = withBlock(layout, 'usage')
        const shownIn = groupsOf(open.root).filter(({ tabs }) => tabs.includes('usage'))
        expect(shownIn).toEqual([expect.objectContaining({ shown: 'usage' })])
        expect(withBlock(open, 'usage')).toEqual(open)
        const closed = withoutBlock(open, 'usage')
        expect(groupsOf(closed.root).map(({ tabs }) => tabs)).toEqual(groupsOf(layout.root).map(({ tabs }) => tabs))
      }),
    )
  })

  it('opens a block beside another, and shows the neighbour of a closed one', () => {
    const beside = withBlock(firstLayout, 'session/s_1', 'approvals')
    expect(groupsOf(beside.root)[1]).toMatchObject({ tabs: ['approvals', 'usage', 'daemon', 'session/s_1'] })
    expect(groupsOf(withoutBlock(beside, 'session/s_1').root)[1]).toMatchObject({ shown: 'daemon' })
    expect(withBlock(emptyLayout, 'usage').root).toEqual(group(1, 'usage'))
    expect(withoutBlock(withBlock(emptyLayout, 'usage'), 'usage')).toEqual(emptyLayout)
  })
})
