import type { TSchema } from 'typebox'
import { masked } from '../../protocol/index.ts'

/** Walks the places of a value that its schema marks as secret. `at` returns what replaces the secret. */
type Walk = (value: unknown, path: string, at: At) => unknown
type At = (value: unknown, path: string) => unknown

export interface SecretFields {
  /** Returns the value with `masked` in place of each secret. Names and the number of entries stay. */
  mask(value: unknown): unknown
  /**
   * Returns the JSON pointer of a secret whose value is `masked` itself, which a client got in an answer and sent back.
   */
  maskIn(value: unknown): string | undefined
}

/**
 * Returns the fields that a schema marks with `secret: true` (protocol/secret.ts); undefined if it has none. Everything
 * that leaves the daemon goes through the mask of its schema: answers in dispatch, records in the log of their topic.
 */
export function secretFields(schema: TSchema): SecretFields | undefined {
  const walk = walkOf(schema)
  if (walk === undefined) return undefined
  return {
    mask: value => walk(value, '', () => masked),
    maskIn(value) {
      let found: string | undefined
      walk(value, '', (each, path) => {
        if (each === masked) found ??= path
        return each
      })
      return found
    },
  }
}

interface Schema {
  secret?: boolean
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  items?: Schema | Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
}

function walkOf({ secret, properties, patternProperties, items, anyOf, allOf }: Schema): Walk | undefined {
  if (secret) return (value, path, at) => (value === undefined ? undefined : at(value, path))
  const named = Object.entries(properties ?? {}).flatMap(([name, each]) => {
    const walk = walkOf(each)
    return walk ? [[name, walk] as const] : []
  })
  const each = [...Object.values(patternProperties ?? {}), ...[items ?? []].flat()].map(walkOf).find(Boolean)
  const both = [...(anyOf ?? []), ...(allOf ?? [])].map(walkOf).filter(walk => walk !== undefined)
  if (named.length === 0 && each === undefined && both.length === 0) return undefined
  return (value, path, at) => {
    if (typeof value !== 'object' || value === null) return value
    let result: unknown = value
    for (const walk of both) result = walk(result, path, at)
    if (Array.isArray(result)) return each ? result.map((item, index) => each(item, `${path}/${index}`, at)) : result
    const entries: [string, Walk][] = each
      ? Object.keys(result as object).map(name => [name, each])
      : named.filter(([name]) => Object.hasOwn(result as object, name)).map(([name, walk]) => [name, walk])
    if (entries.length === 0) return result
    const fields = result as Record<string, unknown>
    const walked = entries.map(([name, walk]) => [name, walk(fields[name], `${path}/${name}`, at)])
    return { ...fields, ...(Object.fromEntries(walked) as object) }
  }
}
