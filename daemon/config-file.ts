import { readJson } from './os/private-file.ts'

/** An option, a variable or the configuration file has an invalid value; the message names it and what was expected. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig'
}

/**
 * The object in `config.json`; an empty one where the file does not exist. Throws `BadConfig` for a file that exists and
 * cannot be read: without it the restrictions that it holds, such as `allowRoots`, would be lost.
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
