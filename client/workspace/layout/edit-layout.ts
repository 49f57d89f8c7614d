import { groupsOf, isSplit, type Layout, type Place, type Tabs, tidy } from './layout.ts'

/**
 * Shows the block: in front of its group if it is open, else as a new tab in the group of `beside`, else in the last
 * group.
 */
export function withBlock(layout: Layout, id: string, beside?: string): Layout {
  const groups = groupsOf(layout.root)
  const holder = groups.find(({ tabs }) => tabs.includes(id))
  if (holder) return changed(layout, holder, group => ({ ...group, shown: id }))
  const target = groups.find(({ tabs }) => beside !== undefined && tabs.includes(beside)) ?? groups.at(-1)
  if (!target) return { version: 1, root: { share: 1, tabs: [id], shown: id } }
  return changed(layout, target, ({ share, tabs }) => ({ share, tabs: [...tabs, id], shown: id }))
}

/** Removes the block. If it was in front, its neighbour comes to the front. */
export function withoutBlock(layout: Layout, id: string): Layout {
  const holder = groupsOf(layout.root).find(({ tabs }) => tabs.includes(id))
  if (!holder) return layout
  return changed(layout, holder, ({ share, tabs, shown }) => {
    const left = tabs.filter(tab => tab !== id)
    const next = left[Math.min(tabs.indexOf(id), left.length - 1)]
    return { share, tabs: left, shown: shown === id ? (next ?? '') : shown }
  })
}

function changed(layout: Layout, group: Tabs, change: (group: Tabs) => Tabs): Layout {
  const within = (place: Place): Place =>
    place === group ? change(group) : isSplit(place) ? { ...place, places: place.places.map(within) } : place
  return { version: 1, root: layout.root && tidy(within(layout.root)) }
}
