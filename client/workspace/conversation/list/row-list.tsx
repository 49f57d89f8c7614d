import { Component, createRef, type ComponentChildren, type VNode } from 'preact'
import { createGeometry } from './geometry.ts'
import { placeOf, type Row } from './rows.ts'

interface Props {
  /** Where the list itself can be reached: a component's `ref` is one of its props and no more. */
  self: { current: RowList | null }
  rows: readonly Row[]
  label: string
  /** Must give the same element for the same row and version. */
  draw: (row: Row, index: number) => VNode
  guess: (row: Row) => number
  onFollow: (following: boolean) => void
  /** Less than two screens are left above, or one below. */
  onNearTop: () => void
  onNearEnd: () => void
  children?: ComponentChildren
}

/** Pixels drawn beyond what is seen, and how few of them may be left before others are drawn. */
const beyond = 600
const least = 200
/** Pixels above the first row and below the last one. */
const edge = 14
/** So near to the end somebody wants to follow it. */
const nearEnd = 20

/**
 * Draws the rows that are seen and a few around them. At the end it stays at the end; anywhere else what is read stays
 * where it is, whatever comes, goes or grows above it. How high rows have become is told by the browser when it has laid
 * them out and before it paints them: asking it would make it do so once more.
 */
export class RowList extends Component<Props> {
  readonly #element = createRef<HTMLDivElement>()
  readonly #content = createRef<HTMLDivElement>()
  readonly #geometry = createGeometry()
  readonly #sizes = new ResizeObserver(entries => this.#resized(entries))
  #following = true
  // The row that is read, and how far its top lies above that of the view.
  #anchor: { row: Row; above: number } | undefined
  #scrollTop = 0
  #height = 600
  #width = 0
  #laid: readonly Row[] | undefined
  // The rows that are drawn, from and to.
  #drawn: [number, number] = [0, 0]
  // Somebody wants to be elsewhere than the view is yet: where it is says nothing of what its reader wants.
  #moving = false
  #frame = 0

  get isFollowing(): boolean {
    return this.#following
  }

  get element(): HTMLDivElement | null {
    return this.#element.current
  }

  /** The elements of the rows that are drawn now. */
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

  /** Puts a row about a third down the view. */
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
    // Where it moves among rows that are drawn already no size changes.
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

  /** Where the view has to be for what is read to stay where it is. */
  #target(): number {
    const most = Math.max(0, this.#whole - this.#height)
    if (this.#following) return most
    const anchor = this.#anchor
    if (!anchor) return Math.min(this.#scrollTop, most)
    return Math.max(0, Math.min(most, edge + this.#geometry.topOf(this.#indexOf(anchor.row)) + anchor.above))
  }

  /** Where a row is now; of one that is no more, the row that is now where it was in the log. */
  #indexOf(row: Row): number {
    const place = placeOf(row)
    return this.#geometry.indexOf(row.key) ?? this.#laid!.findLastIndex(each => placeOf(each) <= place)
  }

  #resized(entries: readonly ResizeObserverEntry[]): void {
    const { clientHeight } = this.#element.current!
    // A pane that is not shown has no size, and forgets nothing for it.
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
    // Not at once: what is drawn now would be measured only after it has been painted.
    if (!this.#isCovered()) this.#frame ||= requestAnimationFrame(() => this.#drawAnew())
  }

  #drawAnew(): void {
    this.#frame = 0
    this.forceUpdate()
  }

  /** Whether what is seen is drawn, and some more around it. */
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
    // Its last word may come after the list is gone.
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
      // Scrolled by keyboard, so it has to take the focus.
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

/** Drawn anew only when its row has changed, or how rows are drawn. */
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
