import { Component, createRef, type ComponentChildren, type VNode } from 'preact'
import { createGeometry } from './geometry.ts'
import { placeOf, type Row } from './rows.ts'

interface Props {
  /** Receives the list while it is mounted. */
  self: { current: RowList | null }
  rows: readonly Row[]
  label: string
  /** Must return an equal element for the same row and version. */
  draw: (row: Row, index: number) => VNode
  guess: (row: Row) => number
  onFollow: (following: boolean) => void
  /** Called when less than two screens are left above; `onNearEnd`, when less than one is left below. */
  onNearTop: () => void
  onNearEnd: () => void
  children?: ComponentChildren
}

/** Pixels rendered beyond each edge of the view; when fewer than `least` are left, other rows are rendered. */
const beyond = 600
const least = 200
/** Pixels above the first row and below the last one. */
const edge = 14
/** Within this many pixels of the end, scrolling down starts to follow it. */
const nearEnd = 20

/**
 * Renders the visible rows and a few around them. While it follows the end, it stays there; otherwise the row at the
 * top of the view keeps its position when rows above it are added, removed or resized. A `ResizeObserver` reports the
 * heights after layout and before paint. Reading them from the DOM would force another layout.
 */
export class RowList extends Component<Props> {
  readonly #element = createRef<HTMLDivElement>()
  readonly #content = createRef<HTMLDivElement>()
  readonly #geometry = createGeometry()
  readonly #sizes = new ResizeObserver(entries => this.#resized(entries))
  #following = true
  // The row at the top of the view, and the distance in pixels of its top above the top of the view.
  #anchor: { row: Row; above: number } | undefined
  #scrollTop = 0
  #height = 600
  #width = 0
  #laid: readonly Row[] | undefined
  // The range of rendered rows; the end is exclusive.
  #drawn: [number, number] = [0, 0]
  // A jump is requested and not done yet. Until then the scroll position does not show the user's intention.
  #moving = false
  #frame = 0

  get isFollowing(): boolean {
    return this.#following
  }

  get element(): HTMLDivElement | null {
    return this.#element.current
  }

  /** The elements of the rendered rows. */
  get drawn(): readonly HTMLElement[] {
    return [...this.#content.current!.children].filter(
      (child): child is HTMLElement => 'key' in (child as HTMLElement).dataset,
    )
  }

  toEnd(): void {
    this.#follow(true)
    this.#anchor = undefined
    this.#moving = true
    this.forceUpdate()
  }

  /** Scrolls a row to a third of the height of the view. */
  toRow(key: string): void {
    const index = this.#geometry.indexOf(key)
    if (index === undefined) return
    this.#follow(false)
    this.#anchor = { row: this.props.rows[index]!, above: -this.#height / 3 }
    this.#moving = true
    this.forceUpdate()
  }

  override componentDidMount(): void {
    this.props.self.current = this
    this.#sizes.observe(this.#element.current!)
    this.#sizes.observe(this.#content.current!)
  }

  override componentDidUpdate(): void {
    // A jump among rendered rows changes no size, so the observer does not call.
    if (this.#moving) this.#scrollTo()
  }

  override componentWillUnmount(): void {
    this.#sizes.disconnect()
    cancelAnimationFrame(this.#frame)
    this.props.self.current = null
  }

  #follow(following: boolean): void {
    if (this.#following === following) return
    this.#following = following
    this.props.onFollow(following)
  }

  get #whole(): number {
    return this.#geometry.total + 2 * edge
  }

  /** Returns the scroll position that keeps the end, or the anchor, in place. */
  #target(): number {
    const most = Math.max(0, this.#whole - this.#height)
    if (this.#following) return most
    const anchor = this.#anchor
    if (!anchor) return Math.min(this.#scrollTop, most)
    return Math.max(0, Math.min(most, edge + this.#geometry.topOf(this.#indexOf(anchor.row)) + anchor.above))
  }

  /** Returns the index of a row. For a removed row, returns the index of the row that now has its position in the log. */
  #indexOf(row: Row): number {
    const place = placeOf(row)
    return this.#geometry.indexOf(row.key) ?? this.#laid!.findLastIndex(each => placeOf(each) <= place)
  }

  #resized(entries: readonly ResizeObserverEntry[]): void {
    const { clientHeight } = this.#element.current!
    // A hidden pane has no size. Keep the measured heights.
    if (clientHeight === 0) return
    this.#height = clientHeight
    const { clientWidth } = this.#content.current!
    if (this.#width !== clientWidth) {
      this.#width = clientWidth
      this.#geometry.forget()
    }
    for (const { target, borderBoxSize } of entries) {
      const { key } = (target as HTMLElement).dataset
      if (key !== undefined) this.#geometry.measured(key, borderBoxSize[0]!.blockSize)
    }
    this.#scrollTo()
    // Rows rendered now, in the callback of the observer, would be measured only after they are painted.
    if (!this.#isCovered()) this.#frame ||= requestAnimationFrame(() => this.#drawAnew())
  }

  #drawAnew(): void {
    this.#frame = 0
    this.forceUpdate()
  }

  /** Whether the view and `least` pixels around it are rendered. */
  #isCovered(): boolean {
    const [from, to] = this.#drawn
    const top = this.#scrollTop - edge
    const { topOf } = this.#geometry
    return (
      (from === 0 || topOf(from) <= top - least) &&
      (to === this.props.rows.length || topOf(to) >= top + this.#height + least)
    )
  }

  #scrollTo(): void {
    const element = this.#element.current!
    const target = this.#target()
    if (Math.abs(element.scrollTop - target) >= 1) element.scrollTop = target
    this.#scrollTop = element.scrollTop
    this.#moving = false
    this.#askForMore()
  }

  readonly #onScroll = () => {
    const element = this.#element.current
    // The event may come after the list is unmounted.
    if (!element) return
    const { scrollTop, clientHeight } = element
    if (this.#moving || clientHeight === 0 || Math.abs(scrollTop - this.#scrollTop) < 1) return
    const isUp = scrollTop < this.#scrollTop
    this.#scrollTop = scrollTop
    const isAtEnd = this.#whole - scrollTop - clientHeight < nearEnd
    this.#follow(isAtEnd && !isUp ? true : this.#following && !isUp)
    const index = this.#geometry.at(scrollTop - edge)
    const row = this.props.rows[index]
    this.#anchor = row && { row, above: scrollTop - edge - this.#geometry.topOf(index) }
    if (!this.#isCovered()) this.forceUpdate()
    this.#askForMore()
  }

  #askForMore(): void {
    if (this.#scrollTop < 2 * this.#height) this.props.onNearTop()
    if (this.#whole - this.#scrollTop < 2 * this.#height) this.props.onNearEnd()
  }

  override render({ rows, label, draw, guess, children }: Props): VNode {
    const geometry = this.#geometry
    if (this.#laid !== rows) {
      this.#laid = rows
      geometry.lay(rows, index => guess(rows[index]!))
    }
    const top = this.#target()
    const from = rows.length ? geometry.at(top - beyond) : 0
    const to = rows.length ? Math.min(rows.length, geometry.at(top + this.#height + beyond) + 1) : 0
    this.#drawn = [from, to]
    const above = edge + geometry.topOf(from)
    const below = edge + geometry.total - geometry.topOf(to)
    return (
      // Focusable, so that the keyboard can scroll it.
      <div ref={this.#element} class="scroller" tabIndex={0} role="region" aria-label={label} onScroll={this.#onScroll}>
        <div ref={this.#content} class="rows">
          <div class="spacer" style={{ height: `${above}px` }} aria-hidden="true" />
          {rows.slice(from, to).map((row, index) => (
            <RowFrame key={row.key} row={row} index={from + index} draw={draw} sizes={this.#sizes} />
          ))}
          <div class="spacer" style={{ height: `${below}px` }} aria-hidden="true" />
        </div>
        {children}
      </div>
    )
  }
}

interface FrameProps {
  row: Row
  index: number
  draw: Props['draw']
  sizes: ResizeObserver
}

/** Renders again only when its row or the function `draw` has changed. */
class RowFrame extends Component<FrameProps> {
  readonly #element = createRef<HTMLDivElement>()

  override shouldComponentUpdate({ row, draw }: FrameProps): boolean {
    const { row: mine, draw: drawn } = this.props
    return row.version !== mine.version || row.item !== mine.item || draw !== drawn
  }

  override componentDidMount(): void {
    this.props.sizes.observe(this.#element.current!)
  }

  override componentWillUnmount(): void {
    this.props.sizes.unobserve(this.#element.current!)
  }

  override render({ row, index, draw }: FrameProps): VNode {
    return (
      <div ref={this.#element} class="entry" data-key={row.key} data-depth={Math.min(row.depth, 4)}>
        {draw(row, index)}
      </div>
    )
  }
}
