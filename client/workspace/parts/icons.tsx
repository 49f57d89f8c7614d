/** Stroked paths on a grid of 16 by 16. Icons are decoration: a text beside each one has its meaning. */
const paths = {
  session: 'M3 4.5h10M3 8h6.5M3 11.5h8',
  sessions: 'M2.5 3.5h11v3h-11zM2.5 9.5h11v3h-11z',
  approvals: 'M8 2.2 13 4v4c0 3-2 5-5 6-3-1-5-3-5-6V4zM5.8 8l1.6 1.6L10.4 6.4',
  usage: 'M3 13V8.5M6.4 13V5M9.7 13V7.5M13 13V3',
  daemon: 'M2.5 8.5h2.4l1.6-4.5 2.7 8 1.7-3.5h2.6',
  frames: 'M5.5 3.5 2.5 8l3 4.5M10.5 3.5l3 4.5-3 4.5',
  close: 'm4.5 4.5 7 7M11.5 4.5l-7 7',
  add: 'M8 3v10M3 8h10',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5l3 3',
  maximise: 'M9.5 3H13v3.5M6.5 13H3V9.5M13 3 9 7M3 13l4-4',
  restore: 'M13 6.5H9.5V3M3 9.5h3.5V13M9.5 6.5 13.5 2.5M6.5 9.5l-4 4',
  splitRight: 'M2.5 3h11v10h-11zM8 3v10',
  splitBelow: 'M2.5 3h11v10h-11zM2.5 8h11',
  theme: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  help: 'M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M8 11.6v.1M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12Z',
  bell: 'M4 11V7.5a4 4 0 0 1 8 0V11l1 1.2H3zM7 14h2',
  check: 'm3.5 8.5 3 3 6-7',
  chevron: 'm6 4 4 4-4 4',
  stop: 'M4.5 4.5h7v7h-7z',
  eye: 'M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8ZM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z',
  warning: 'M8 2.5 14 13H2zM8 6.5v3M8 11.2v.1',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}
