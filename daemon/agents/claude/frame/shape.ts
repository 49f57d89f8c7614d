import { limits } from '../../../../protocol/limits.ts'

/**
 * Readers of JSON values without a guaranteed shape. The output of Claude Code changes with its versions, and no value
 * may make a reader throw. A reader returns `undefined`, or an empty list, for a value of another kind.
 */
export type Shape = Record<string, unknown>

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function shapeOf(value: unknown): Shape | undefined {
  return isShape(value) ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Reads a non-empty string. */
export function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function stringsOf(value: unknown): string[] {
  return listOf(value).filter(item => typeof item === 'string')
}

/** JSON has no infinite numbers, but `1e999` parses as one. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Reads an integer from 0 up: an index or a count. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Reads an amount of money. A negative or absurdly large one would spoil every sum it is part of. */
export function usdOf(value: unknown): number | undefined {
  const usd = numberOf(value)
  return usd !== undefined && usd >= 0 && usd <= limits.maxUsd ? usd : undefined
}

/** Reads a duration or a time since epoch, and returns whole milliseconds. A `Date` cannot hold more than `maxMs`. */
export function msOf(value: unknown, unitMs = 1): number | undefined {
  const ms = Math.round((numberOf(value) ?? Number.NaN) * unitMs)
  return ms >= 0 && ms <= maxMs ? ms : undefined
}

const maxMs = 8.64e15
