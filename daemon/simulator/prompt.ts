/**
 * A parsed prompt: `sim:<script> [key=value …] [text]`. Any other prompt asks for the script `default`, and `/clear`
 * for the script `clear`.
 */
export interface Call {
  script: string
  /** The prompt without script name and options. */
  text: string
  options: ReadonlyMap<string, string>
}

export function parsePrompt(prompt: string): Call {
  const asked = /^\s*sim:([\w-]*)/.exec(prompt)
  if (!asked) return { script: prompt.trim() === '/clear' ? 'clear' : 'default', text: prompt, options: new Map() }
  const options = new Map<string, string>()
  let rest = prompt.slice(asked[0].length)
  for (let option = firstOption(rest); option; option = firstOption(rest)) {
    options.set(option[1]!, option[2] ?? option[3]!)
    rest = rest.slice(option[0].length)
  }
  return { script: asked[1] || 'help', text: rest.trim(), options }
}

// `key=value` or `key="a value"`; the text begins with the first word that is not an option.
const firstOption = (text: string) => /^\s+([A-Za-z]\w*)=(?:"([^"]*)"|(\S*))(?=\s|$)/.exec(text)

/** Returns a number option; `otherwise` if it is missing or unreadable. */
export function numberOption(call: Call, name: string, otherwise: number): number {
  const value = Number(call.options.get(name) ?? Number.NaN)
  return Number.isFinite(value) ? value : otherwise
}

export const textOption = (call: Call, name: string, otherwise: string): string => call.options.get(name) ?? otherwise

export const listOption = (call: Call, name: string): string[] =>
  (call.options.get(name) ?? '').split(',').filter(Boolean)
