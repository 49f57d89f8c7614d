import type { TObject } from 'typebox'
import { methods, topMethods } from '../../protocol/index.ts'

/** A row of the protocol's method table, in the form that tests of all methods use. */
export interface MethodRow {
  params: TObject
  result: TObject
  mutates: boolean
  needsControl: boolean
  showsSecrets: boolean
}

/** Every method by its full name, including methods added later. */
export const methodRows: ReadonlyMap<string, MethodRow> = new Map([
  ...Object.entries(topMethods as Record<string, MethodRow>),
  ...Object.entries(methods).flatMap(([namespace, rows]) =>
    Object.entries(rows as Record<string, MethodRow>).map(([name, row]) => [`${namespace}.${name}`, row] as const),
  ),
])
