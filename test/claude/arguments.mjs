import { isVersion } from './install.mjs'

/** Takes `--claude-version X` out of the arguments; the rest is for vitest, which has a `--version` of its own. */
export function readArguments(given) {
  const rest = [...given]
  const at = rest.findIndex(argument => /^--claude-version(?:=|$)/.test(argument))
  if (at === -1) return { version: undefined, rest }
  const [argument] = rest.splice(at, 1)
  const version = argument.includes('=') ? argument.slice(argument.indexOf('=') + 1) : rest.splice(at, 1)[0]
  if (version === undefined || !isVersion(version)) {
    throw new Error(`--claude-version is ${JSON.stringify(version ?? '')}, expected a version like 2.1.197`)
  }
  return { version, rest }
}
