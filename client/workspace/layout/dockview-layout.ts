import { Orientation, type SerializedDockview } from 'dockview-core'
import { groupsOf, isSplit, type Layout, type Place, tidy } from './layout.ts'

type Grid = SerializedDockview['grid']
type Node = Grid['root']

/** Converts a layout to dockview's format. `size` is the size of the container in pixels. */
export function toDockview(
  layout: Layout,
  size: { width: number; height: number },
  titleOf: (id: string) => string,
): SerializedDockview {
  const { root } = layout
  const horizontal = !root || !isSplit(root) || root.split === 'row'
  let groups = 0
  const nodeOf = (place: Place, along: number, across: number): Node => {
    const length = Math.round(place.share * along)
    if (!isSplit(place)) {
      const data = { id: String(++groups), views: place.tabs, activeView: place.shown }
      return { type: 'leaf', data, size: length }
    }
    return { type: 'branch', data: place.places.map(child => nodeOf(child, across, length)), size: length }
  }
  const [along, across] = horizontal ? [size.width, size.height] : [size.height, size.width]
  const children = root && isSplit(root) ? root.places : root ? [root] : []
  return {
    grid: {
      root: { type: 'branch', data: children.map(place => nodeOf(place, along, across)), size: across },
      ...size,
      orientation: horizontal ? Orientation.HORIZONTAL : Orientation.VERTICAL,
    },
    panels: Object.fromEntries(
      groupsOf(root).flatMap(({ tabs }) => tabs.map(id => [id, { id, contentComponent: 'block', title: titleOf(id) }])),
    ),
  }
}

/** Converts dockview's state to a layout. */
export function fromDockview({ grid }: SerializedDockview): Layout {
  const placeOf = (node: Node, split: 'row' | 'column', length: number): unknown => {
    const share = Math.min(1, Math.max(0.001, (node.size ?? length) / (length || 1)))
    if (node.type === 'leaf') {
      const { views, activeView } = node.data as { views: string[]; activeView?: string }
      return { share, tabs: views, shown: activeView }
    }
    const children = node.data as Node[]
    const whole = children.reduce((sum, child) => sum + (child.size ?? 0), 0)
    const other = split === 'row' ? 'column' : 'row'
    return { share, split, places: children.map(child => placeOf(child, other, whole)) }
  }
  return {
    version: 1,
    root: tidy(placeOf(grid.root, grid.orientation === Orientation.HORIZONTAL ? 'row' : 'column', grid.root.size ?? 1)),
  }
}
