import * as fc from 'fast-check'
import type { TSchema } from 'typebox'

/**
 * Returns values that fit a schema, generated from the schema itself, so that additions to the protocol are covered.
 * `instead` may replace the arbitrary of a place (a JSON pointer with `*` for items) where few of the fitting values
 * are meaningful or some would do harm.
 */
export function arbitraryOf(
  schema: TSchema,
  instead: (path: string, schema: TSchema) => fc.Arbitrary<unknown> | undefined = () => undefined,
  path = '',
): fc.Arbitrary<unknown> {
  const given = instead(path, schema)
  if (given !== undefined) return given
  const { type, anyOf, enum: allowed, const: only } = schema as Keywords
  const inside = (part: TSchema, name?: string) =>
    arbitraryOf(part, instead, name === undefined ? path : `${path}/${name}`)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(each => inside(each)))
  if (allowed !== undefined) return fc.constantFrom(...allowed)
  if (only !== undefined) return fc.constant(only)
  switch (type) {
    case 'object':
      return objects(schema, inside)
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 5 } = schema as Keywords
      return fc.array(inside(items, '*'), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 5) })
    }
    case 'string':
      return strings(schema)
    case 'integer':
    case 'number':
      return numbers(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

interface Keywords {
  type?: string
  anyOf?: TSchema[]
  enum?: unknown[]
  const?: unknown
  required?: string[]
  properties?: Record<string, TSchema>
  patternProperties?: Record<string, TSchema>
  items?: TSchema
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  exclusiveMinimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  maxProperties?: number
}

function objects(schema: Keywords, inside: (part: TSchema, name: string) => fc.Arbitrary<unknown>) {
  const { properties = {}, required = [], patternProperties = {}, maxProperties = 5 } = schema
  const own = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, inside(each, name)])),
    { requiredKeys: required.filter(name => Object.hasOwn(properties, name)) },
  )
  const others = Object.entries(patternProperties).map(([pattern, each]) =>
    fc.dictionary(matching(pattern), inside(each, '*'), { maxKeys: Math.min(5, maxProperties) }),
  )
  return fc.tuple(own, ...others).map(parts => Object.assign({}, ...parts) as unknown)
}

function strings({ pattern, minLength = 0, maxLength = Infinity }: Keywords): fc.Arbitrary<string> {
  if (pattern !== undefined) return matching(pattern)
  const bounds = { minLength, maxLength: Math.min(maxLength, minLength + 20) }
  return fc.oneof(
    { arbitrary: fc.string({ ...bounds, unit: 'grapheme-ascii' }), weight: 4 },
    { arbitrary: fc.string({ ...bounds, unit: 'binary' }), weight: 1 },
  )
}

const matching = (pattern: string) => fc.stringMatching(new RegExp(pattern, 'u'))

function numbers({ type, minimum, exclusiveMinimum, maximum = 2 ** 53 - 1 }: Keywords): fc.Arbitrary<number> {
  const least = minimum ?? exclusiveMinimum ?? -(2 ** 53 - 1)
  if (type === 'integer') {
    const small = fc.integer({ min: least, max: Math.min(maximum, least + 100) })
    return fc.oneof(
      small,
      fc.maxSafeInteger().filter(number => number >= least && number <= maximum),
    )
  }
  const fits = (number: number) => number >= least && number <= maximum && number !== exclusiveMinimum
  return fc.double({ noNaN: true, noDefaultInfinity: true, min: least, max: Math.min(maximum, 1e9) }).filter(fits)
}
