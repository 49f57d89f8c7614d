import type { TSchema } from 'typebox'

/** The first difference between a value and a schema: a JSON pointer, and what belongs there in words. */
export interface Mismatch {
  path: string
  expected: string
  value: unknown
}

/**
 * Returns the first place where `value` does not fit `schema`; undefined if it fits. It serves the answer to a call
 * that a compiled check has refused. It stops at the first difference, while TypeBox's `Errors()` walks the whole
 * value, which takes a second for 4 MB of wrong items. Knows the keywords that muxd's schemas of params use.
 */
export function firstMismatch(schema: TSchema, value: unknown, path = ''): Mismatch | undefined {
  const { type, anyOf, enum: allowed, const: only } = schema as Keywords
  const wrong = () => ({ path, expected: expectedOf(schema), value })
  if (anyOf !== undefined) return fitsAny(anyOf, value, path) ? undefined : closest(anyOf, value, path, wrong())
  if (allowed !== undefined) return allowed.includes(value) ? undefined : wrong()
  if (only !== undefined) return value === only ? undefined : wrong()
  switch (type) {
    case 'object':
      return objectMismatch(schema, value, path, wrong)
    case 'array':
      return arrayMismatch(schema, value, path, wrong)
    case 'string':
      return typeof value === 'string' && stringFits(schema, value) ? undefined : wrong()
    case 'integer':
    case 'number':
      return typeof value === 'number' && numberFits(schema, value) ? undefined : wrong()
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrong()
    case 'null':
      return value === null ? undefined : wrong()
    default:
      return undefined
  }
}

/** Describes in words what a schema expects: its description, or its type with its bounds. */
export function expectedOf(schema: TSchema): string {
  const keywords = schema as Keywords
  if (keywords.description !== undefined) return keywords.description
  if (keywords.anyOf !== undefined) return keywords.anyOf.map(expectedOf).join(' or ')
  if (keywords.enum !== undefined) return keywords.enum.map(item => JSON.stringify(item)).join(' or ')
  if (keywords.const !== undefined) return JSON.stringify(keywords.const)
  if (keywords.type === 'object' && keywords.required !== undefined)
    return `object with ${keywords.required.join(', ')}`
  const bounds = boundNames.flatMap(([name, words]) => {
    const bound = keywords[name]
    return bound === undefined ? [] : [`${words} ${String(bound)}`]
  })
  return [keywords.type ?? 'anything', ...bounds].join(', ')
}

interface Keywords {
  type?: string
  description?: string
  anyOf?: TSchema[]
  enum?: unknown[]
  const?: unknown
  required?: string[]
  properties?: Record<string, TSchema>
  patternProperties?: Record<string, TSchema>
  additionalProperties?: boolean
  items?: TSchema
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minItems?: number
  maxItems?: number
  maxProperties?: number
}

const boundNames = [
  ['minLength', 'at least this long:'],
  ['maxLength', 'at most this long:'],
  ['minimum', 'at least'],
  ['exclusiveMinimum', 'more than'],
  ['maximum', 'at most'],
  ['minItems', 'items at least:'],
  ['maxItems', 'items at most:'],
  ['maxProperties', 'entries at most:'],
  ['pattern', 'matching'],
] as const

function objectMismatch(schema: Keywords, value: unknown, path: string, wrong: () => Mismatch): Mismatch | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong()
  const { properties = {}, required = [], patternProperties = {}, maxProperties = Infinity } = schema
  if (Object.keys(value).length > maxProperties) return wrong()
  for (const name of required) {
    if (Object.hasOwn(value, name)) continue
    return { path: at(path, name), expected: expectedOf(properties[name] ?? {}), value: undefined }
  }
  for (const [name, property] of Object.entries(properties)) {
    if (!Object.hasOwn(value, name)) continue
    const mismatch = firstMismatch(property, (value as Record<string, unknown>)[name], at(path, name))
    if (mismatch !== undefined) return mismatch
  }
  const patterns = Object.entries(patternProperties).map(([text, each]) => [new RegExp(text, 'u'), each] as const)
  if (patterns.length === 0 && schema.additionalProperties !== false) return undefined
  for (const [name, item] of Object.entries(value)) {
    const matching = patterns.filter(([pattern]) => pattern.test(name))
    if (matching.length === 0 && schema.additionalProperties === false && !Object.hasOwn(properties, name)) {
      const names = Object.keys(patternProperties)
      return { path: at(path, name), expected: `only names matching ${names.join(' or ')}`, value: name }
    }
    for (const [, each] of matching) {
      const mismatch = firstMismatch(each, item, at(path, name))
      if (mismatch !== undefined) return mismatch
    }
  }
  return undefined
}

function arrayMismatch(schema: Keywords, value: unknown, path: string, wrong: () => Mismatch): Mismatch | undefined {
  if (!Array.isArray(value)) return wrong()
  const { items = {}, minItems = 0, maxItems = Infinity } = schema
  if (value.length < minItems || value.length > maxItems) return wrong()
  for (const [index, item] of value.entries()) {
    const mismatch = firstMismatch(items, item, `${path}/${index}`)
    if (mismatch !== undefined) return mismatch
  }
  return undefined
}

const fitsAny = (anyOf: readonly TSchema[], value: unknown, path: string): boolean =>
  anyOf.some(schema => firstMismatch(schema, value, path) === undefined)

// Takes the alternative that differs only inside the value, if there is exactly one: `{ epoch: 1 }` is a wrong cursor,
// not a wrong "start".
function closest(anyOf: readonly TSchema[], value: unknown, path: string, otherwise: Mismatch): Mismatch {
  const inside = anyOf.map(schema => firstMismatch(schema, value, path)).filter(found => found?.path !== path)
  return inside.length === 1 && inside[0] !== undefined ? inside[0] : otherwise
}

function stringFits({ pattern, minLength = 0, maxLength = Infinity }: Keywords, value: string): boolean {
  // Length in code points, as in JSON Schema. The length in UTF-16 units is never smaller, so it often suffices.
  const length = value.length > maxLength || minLength > 1 ? Array.from(value).length : value.length
  return length >= minLength && length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(value))
}

function numberFits(schema: Keywords, value: number): boolean {
  const { type, minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema
  if (type === 'integer' ? !Number.isInteger(value) : !Number.isFinite(value)) return false
  return value >= minimum && value <= maximum && value > exclusiveMinimum
}

const at = (path: string, name: string) => `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
