import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const key = 'muxd.theme'
const themes: Theme[] = ['system', 'light', 'dark']
const stored = () => themes.find(name => name === localStorage.getItem(key)) ?? 'system'

/** What the user chose; the styles do the rest. */
export const theme = signal<Theme>(stored())

export const nextTheme = () => (theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]!)

/** Keeps the root element, and other windows, in step. */
export function applyTheme(): void {
  effect(() => {
    const { dataset } = document.documentElement
    if (theme.value === 'system') delete dataset['theme']
    else dataset['theme'] = theme.value
    localStorage.setItem(key, theme.value)
  })
  addEventListener('storage', event => {
    if (event.key === key) theme.value = stored()
  })
}
