import { readJson } from './os/private-file.ts'

/** An option, variable or entry of the configuration file is invalid; the message names it and what was expected. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig'
}

/**
 * Returns the object in `config.json`; an empty object if the file does not exist. Throws `BadConfig` if the file
 * exists and cannot be read, because ignoring it would lose its restrictions, such as `allowRoots`.
 */
export function readConfigFile(path: string): object {
  let value: unknown
  try {
    value = readJson(path)
  } catch (error) {
    throw new BadConfig((error as Error).message, { cause: error })
  }
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new BadConfig(`${path} cannot be read: expected an object, not ${JSON.stringify(value).slice(0, 100)}`)
}
