import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const key = 'muxd.theme'
const themes: Theme[] = ['system', 'light', 'dark']
const stored = () => themes.find(name => name === localStorage.getItem(key)) ?? 'system'

/** The user's choice. */
export const theme = signal<Theme>(stored())

export const nextTheme = () => (theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]!)

/** Applies the theme to the root element, stores it, and follows changes by other windows. */
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
