import * as fc from 'fast-check'

/** Values that are wrong almost everywhere, or at a limit. */
const oddities: unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', ' ', '\0', '\u{d800}', '__proto__', '../..', 's_', 'x'.repeat(3_000)],
  ...[[], {}, [[]], { toString: 1 }, { length: -1 }, JSON.parse('{"__proto__":{"x":1}}')],
  Array.from({ length: 200 }).reduce<unknown>(inside => [inside], 'deep'),
]

/** Values of `arbitrary` as JSON with one change at a random place: replaced by an oddity, removed, or added. */
export const nearly = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(arbitrary, fc.nat(), fc.constantFrom('replace', 'remove', 'add' as const), fc.constantFrom(...oddities))
    .map(([value, at, how, oddity]) => {
      const places = placesIn(value)
      return changed(value, places[at % places.length]!, how, oddity)
    })

type Place = readonly string[]

function placesIn(value: unknown, path: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, each]) => placesIn(each, [...path, name]))]
}

function changed(value: unknown, [name, ...rest]: Place, how: string, oddity: unknown): unknown {
  if (name === undefined) {
    if (how !== 'add' || typeof value !== 'object' || value === null) return oddity
    return Array.isArray(value) ? [...value, oddity] : { ...value, added: oddity }
  }
  const inside = (value as Record<string, unknown>)[name]
  const isGone = how === 'remove' && rest.length === 0
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown, index) =>
      String(index) !== name ? [each] : isGone ? [] : [changed(each, rest, how, oddity)],
    )
  }
  const { [name]: _, ...others } = value as Record<string, unknown>
  return isGone ? others : { ...others, [name]: changed(inside, rest, how, oddity) }
}
