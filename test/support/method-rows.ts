import type { TObject } from 'typebox'
import { methods, topMethods } from '../../protocol/index.ts'

/** A row of the protocol's table of methods, as a test of all of them sees it. */
export interface MethodRow {
  params: TObject
  result: TObject
  mutates: boolean
  needsControl: boolean
  showsSecrets: boolean
}

/** Every method by its full name, whatever is added. */
export const methodRows: ReadonlyMap<string, MethodRow> = new Map([
  ...Object.entries(topMethods as Record<string, MethodRow>),
  ...Object.entries(methods).flatMap(([namespace, rows]) =>
    Object.entries(rows as Record<string, MethodRow>).map(([name, row]) => [`${namespace}.${name}`, row] as const),
  ),
])
