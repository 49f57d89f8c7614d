/**
 * The arrangement of blocks, as stored on the daemon and followed by all windows. It has no pixels, so that windows of
 * any size can show it. Each arrangement has exactly one representation.
 */
export interface Layout {
  version: 1
  /** Null when nothing is open. */
  root: Place | null
}

export type Place = Tabs | Split

/** Blocks behind each other in one pane. `share` is its fraction of its row or column; the shares add up to about 1. */
export interface Tabs {
  share: number
  /** Block ids. */
  tabs: string[]
  shown: string
}

export interface Split {
  share: number
  split: 'row' | 'column'
  places: Place[]
}

export const isSplit = (place: Place): place is Split => 'split' in place

export const emptyLayout: Layout = { version: 1, root: null }

/** The layout of a workspace that has none saved. */
export const firstLayout: Layout = {
  version: 1,
  root: {
    share: 1,
    split: 'row',
    places: [
      { share: 0.3, tabs: ['sessions'], shown: 'sessions' },
      { share: 0.7, tabs: ['approvals', 'usage', 'daemon'], shown: 'approvals' },
    ],
  },
}

const maxDepth = 12
const maxTabs = 200

/**
 * Reads a stored layout, which may come from any client. Drops everything that cannot be shown, for example blocks that
 * `isBlock` rejects. Throws an `Error` unless `version` is 1.
 */
export function parseLayout(stored: unknown, isBlock: (id: string) => boolean): Layout {
  const { version, root } = (stored ?? {}) as Partial<Layout>
  if (version !== 1) throw new Error(`layout version ${JSON.stringify(version)}, expected 1`)
  return { version: 1, root: tidy(root ?? null, isBlock) }
}

/**
 * Returns the one representation of an arrangement: each block once, no empty pane, no split with a single child and no
 * row within a row. Keeps at most 200 tabs and 13 nested splits. Returns null if nothing is left.
 */
export function tidy(root: unknown, isBlock: (id: string) => boolean = () => true): Place | null {
  const seen = new Set<string>()
  const isNew = (id: unknown): id is string => {
    if (typeof id !== 'string' || seen.has(id) || seen.size >= maxTabs || !isBlock(id)) return false
    seen.add(id)
    return true
  }
  const place = tidyPlace(root, isNew, 0)
  return place && { ...place, share: 1 }
}

function tidyPlace(value: unknown, isNew: (id: unknown) => id is string, depth: number): Place | null {
  const place = (typeof value === 'object' && value !== null ? value : {}) as Partial<Tabs & Split>
  const share = typeof place.share === 'number' && place.share > 0 && place.share <= 1 ? place.share : 0.5
  if (Array.isArray(place.tabs)) {
    const tabs = place.tabs.filter(isNew)
    const shown = tabs.includes(place.shown!) ? place.shown! : tabs[0]
    return shown === undefined ? null : { share, tabs, shown }
  }
  if (!Array.isArray(place.places) || depth > maxDepth) return null
  const split = place.split === 'column' ? 'column' : 'row'
  const places = place.places.flatMap((child): Place[] => {
    const inner = tidyPlace(child, isNew, depth + 1)
    if (!inner) return []
    // Merge a row within a row.
    if (!isSplit(inner) || inner.split !== split) return [inner]
    return inner.places.map(grandchild => ({ ...grandchild, share: grandchild.share * inner.share }))
  })
  if (places.length < 2) return places[0] ? { ...places[0], share } : null
  return { share, split, places: sharedOut(places) }
}

/**
 * Scales the shares to a sum of 1, then rounds to 0.001, but never to 0, which is not a share. Windows that show the same
 * layout differ by less.
 */
function sharedOut(places: Place[]): Place[] {
  const whole = places.reduce((sum, { share }) => sum + share, 0)
  const rounded = (share: number) => Math.max(1, Math.round((share / whole) * 1_000)) / 1_000
  return places.map(place => ({ ...place, share: rounded(place.share) }))
}

/** Whether both show the same. Shares may differ by 0.01, because a window has whole pixels only. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  return isSamePlace(a.root, b.root, true)
}

/** Whether both have the same blocks in the same places. Ignores the front tabs, which each window has for itself. */
export function isSameArrangement(a: Layout, b: Layout): boolean {
  return isSamePlace(a.root, b.root, false)
}

/** Brings the blocks of `inFront` to the front of their panes. Where a pane has several of them, the first wins. */
export function withShown(layout: Layout, inFront: readonly string[]): Layout {
  const within = (place: Place): Place => {
    if (isSplit(place)) return { ...place, places: place.places.map(within) }
    const own = inFront.find(id => place.tabs.includes(id))
    return own === undefined ? place : { ...place, shown: own }
  }
  return { version: 1, root: layout.root && within(layout.root) }
}

function isSamePlace(a: Place | null, b: Place | null, alsoShown: boolean): boolean {
  if (!a || !b) return a === b
  if (Math.abs(a.share - b.share) > 0.01) return false
  if (isSplit(a))
    return (
      isSplit(b) &&
      a.split === b.split &&
      a.places.length === b.places.length &&
      a.places.every((place, index) => isSamePlace(place, b.places[index]!, alsoShown))
    )
  return !isSplit(b) && (!alsoShown || a.shown === b.shown) && a.tabs.join() === b.tabs.join()
}

/** Returns all groups of tabs in reading order. */
export const groupsOf = (place: Place | null): Tabs[] =>
  place === null ? [] : isSplit(place) ? place.places.flatMap(groupsOf) : [place]
