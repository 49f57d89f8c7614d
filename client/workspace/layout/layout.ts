/**
 * Which blocks are where: what is stored on the daemon and followed by other windows. It has no pixels, so that windows
 * of all sizes can show it, and no more than one way to say the same thing.
 */
export interface Layout {
  version: 1
  /** Null when nothing is open. */
  root: Place | null
}

export type Place = Tabs | Split

/** Blocks that lie behind each other. `share` is the part of its row or column, which add up to 1. */
export interface Tabs {
  share: number
  /** Ids of blocks. */
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

/** What a workspace that has none begins with. */
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
 * Reads a stored layout, from any client. Leaves out what cannot be shown, for example blocks that are none to `isBlock`.
 * Throws when it is no layout at all.
 */
export function parseLayout(stored: unknown, isBlock: (id: string) => boolean): Layout {
  const { version, root } = (stored ?? {}) as Partial<Layout>
  if (version !== 1) throw new Error(`layout version ${JSON.stringify(version)}, expected 1`)
  return { version: 1, root: tidy(root ?? null, isBlock) }
}

/** The same arrangement in its one form. */
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
    // A row within a row is one row.
    if (!isSplit(inner) || inner.split !== split) return [inner]
    return inner.places.map(grandchild => ({ ...grandchild, share: grandchild.share * inner.share }))
  })
  if (places.length < 2) return places[0] ? { ...places[0], share } : null
  return { share, split, places: sharedOut(places) }
}

/** Shares that add up to 1, in steps of a thousandth: windows that show the same differ by less. */
function sharedOut(places: Place[]): Place[] {
  const whole = places.reduce((sum, { share }) => sum + share, 0)
  const rounded = places.map(place => ({ ...place, share: Math.round((place.share / whole) * 1_000) / 1_000 }))
  return rounded
}

/** Whether both show the same; sizes within a hundredth are: pixels cannot be halved. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  return isSamePlace(a.root, b.root, true)
}

/** Whether the same blocks lie in the same places, whichever of them are in front: that is a window's own. */
export function isSameArrangement(a: Layout, b: Layout): boolean {
  return isSamePlace(a.root, b.root, false)
}

/** The layout with those blocks in front that are in front in a window, wherever they lie now. */
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

/** Every group of tabs, in reading order. */
export const groupsOf = (place: Place | null): Tabs[] =>
  place === null ? [] : isSplit(place) ? place.places.flatMap(groupsOf) : [place]
